// A real OpenID provider for the tests: it signs in whoever `login_hint` names, without asking, and prints its
// address on the first line of its output. Argument: the redirect address of the client.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const accounts = {
  ana: { email: 'ana@example.com', email_verified: true, name: 'Ana R.', groups: ['dunlin-leads'] },
  ben: { email: 'Ben@Partner.example', email_verified: true, name: 'Ben Okoye', groups: ['staff', 'dunlin-engineers'] },
  cai: { email: 'cai@example.com', email_verified: true, name: 'Cai', groups: ['staff'] },
  mallory: { email: 'ana@example.com', email_verified: false, name: 'Ana R.', groups: ['dunlin-engineers'] },
  customer: { customer_no: 'customer-7', email: 'ana@customer.example', email_verified: true, name: 'Ana', groups: [] },
  nobody: { email: 'nobody@customer.example', email_verified: true, name: 'Nobody', groups: [] },
  mfa: { email: 'mfa@example.com', email_verified: true, name: 'Eve', groups: ['dunlin-engineers'] },
};
const amr = { mfa: ['pwd', 'mfa'] };

const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'dunlin', client_secret: 'test-secret', redirect_uris: [process.argv[2]] }],
    cookies: { keys: ['test'] },
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'profile', 'groups'],
    claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['name', 'customer_no'], groups: ['groups'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) }),
    async loadExistingGrant(ctx) {
      const { client, session, provider: self } = ctx.oidc;
      const grant = new self.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid email profile groups');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const login = { accountId: params.login_hint, amr: amr[params.login_hint] ?? ['pwd'] };
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  });
  console.log(issuer);
});
