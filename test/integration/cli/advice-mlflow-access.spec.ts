import { type Answer, answer } from '../../support/scripted-server.js';
import { basic, MlflowFront, mlflowTable, PASSWORD, responded, unless } from './mlflow-front.js';

let front: MlflowFront;
beforeAll(async () => {
  front = await MlflowFront.start();
});
afterAll(() => front.close());

const answering = (script: Answer) => () => front.answers(script);

const NOT_AUTHENTICATED = 'You are not authenticated.';
// The headers and texts of MLflow 3.17 with `--app-name basic-auth`.
const needsBasic = unless(
  ({ authorization }) => authorization === basic('me:right'),
  answer(401, NOT_AUTHENTICATED, { 'WWW-Authenticate': 'Basic realm="mlflow"' }),
);
const needsBearer = unless(
  ({ authorization }) => authorization === 'Bearer right',
  answer(401, 'no', { 'WWW-Authenticate': 'Bearer' }),
);
const USER = { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: 'right' };
const DENIED = '{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}';

describe('what is said if the credentials are wrong', () => {
  mlflowTable([
    {
      situation: 'none, where a password is needed',
      before: answering(needsBasic),
      env: () => front.at(),
      found: () => responded('401', NOT_AUTHENTICATED),
      todo: () => `Set ${PASSWORD}`,
      follow: () => front.at(USER),
    },
    {
      situation: 'a wrong password',
      before: answering(needsBasic),
      env: () => front.at({ ...USER, MLFLOW_TRACKING_PASSWORD: 'wrong' }),
      found: () => responded('401', NOT_AUTHENTICATED),
      todo: () => `Correct ${PASSWORD}`,
      follow: () => front.at(USER),
    },
    {
      situation: 'a token, where a password is needed',
      before: answering(needsBasic),
      env: () => front.at({ MLFLOW_TRACKING_TOKEN: 'right' }),
      found: () => responded('401', NOT_AUTHENTICATED),
      todo: () => `Unset MLFLOW_TRACKING_TOKEN and set ${PASSWORD}: the server asks for these`,
      follow: () => front.at(USER),
    },
    {
      situation: 'none, where a token is needed',
      before: answering(needsBearer),
      env: () => front.at(),
      found: () => responded('401', 'no'),
      todo: () => 'Set MLFLOW_TRACKING_TOKEN',
      follow: () => front.at({ MLFLOW_TRACKING_TOKEN: 'right' }),
    },
    {
      situation: 'a wrong token',
      before: answering(needsBearer),
      env: () => front.at({ MLFLOW_TRACKING_TOKEN: 'wrong' }),
      found: () => responded('401', 'no'),
      todo: () => 'Correct MLFLOW_TRACKING_TOKEN',
      follow: () => front.at({ MLFLOW_TRACKING_TOKEN: 'right' }),
    },
    {
      situation: 'a password, where a token is needed',
      before: answering(needsBearer),
      env: () => front.at(USER),
      found: () => responded('401', 'no'),
      todo: () => `Unset ${PASSWORD} and set MLFLOW_TRACKING_TOKEN: the server asks for it`,
      follow: () => front.at({ MLFLOW_TRACKING_TOKEN: 'right' }),
    },
    {
      situation: 'none, and the server does not say what it needs',
      before: answering(unless(({ authorization }) => authorization !== undefined, answer(401, 'no'))),
      env: () => front.at(),
      found: () => responded('401', 'no'),
      todo: () => `Set ${PASSWORD}, or MLFLOW_TRACKING_TOKEN`,
      follow: () => front.at(USER),
    },
    {
      situation: 'a user without the permission to list experiments',
      before: answering(answer(403, DENIED)),
      env: () => front.at(USER),
      found: () => responded('403', DENIED),
      todo: () => 'Give the user me the permission READ on all experiments',
      follow: () => {
        front.answers(needsBasic);
        return front.at(USER);
      },
    },
    {
      situation: 'a gateway that expects a header',
      before: answering(unless((headers) => headers['x-key'] === 'k', answer(403, 'Forbidden'))),
      env: () => front.at(),
      found: () => responded('403', 'Forbidden'),
      todo: () =>
        `Set ${PASSWORD}, MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_HEADERS: what answers at ${front.host} denies access`,
      follow: () => front.at({ MLFLOW_TRACKING_HEADERS: 'X-Key=k' }),
    },
    {
      // The text of Amazon API Gateway: docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
      situation: 'a gateway of AWS that expects signatures',
      before: answering(answer(403, '{"message":"Missing Authentication Token"}')),
      env: () => front.at(),
      found: () => responded('403', '{"message":"Missing Authentication Token"}'),
      todo: () =>
        'Set MLFLOW_TRACKING_URI to a proxy that signs requests for AWS, such as aws-sigv4-proxy: this service does not sign them',
      follow: () => front.direct(),
    },
  ]);
});
