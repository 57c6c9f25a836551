import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail server on a free loopback port, without TLS and users. */
export class MailServer {
  private constructor(
    private readonly server: SMTPServer,
    readonly url: string,
    /** Received mails as they were sent. */
    readonly mails: readonly string[],
  ) {}

  static async start(options: SMTPServerOptions = {}): Promise<MailServer> {
    const received: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData(stream, _, callback) {
        let mail = '';
        stream.on('data', (chunk) => {
          mail += String(chunk);
        });
        stream.on('end', () => {
          received.push(mail);
          callback();
        });
      },
      ...options,
    });
    server.on('error', () => undefined);
    const listener = server.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    return new MailServer(server, `smtp://127.0.0.1:${port}`, received);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }
}
