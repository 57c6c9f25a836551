# syntax=docker/dockerfile:1
FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src src
COPY web web
COPY scripts scripts
RUN npm run build

FROM node:24-trixie-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund --ignore-scripts

FROM node:24-trixie-slim
LABEL org.opencontainers.image.title="mlflow-monitor" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    STORAGE_DIR=/data
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE README.md ./
# Nothing here installs packages: without npm and yarn, scanners report fewer vulnerabilities and attackers find fewer tools.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn-v* \
  && cd /usr/local/bin && rm -f npm npx corepack yarn yarnpkg
# A new volume takes over the owner of the folder. The link is for jobs of CI systems, which run a shell.
RUN mkdir /data && chown node:node /data && ln -s /app/dist/main.js /usr/local/bin/mlflow-monitor
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
# The program handles SIGTERM and starts no other process, so it can run as PID 1 without an init.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
