// Passkeys need a script; everything else on these pages does not. The button appears only where the browser can.
(function () {
  "use strict";
  var box = document.querySelector("[data-passkey]");
  if (!box || !window.PublicKeyCredential || !window.fetch) return;
  var say = box.querySelector("[data-say]");
  var button = box.querySelector("button");
  function bytes(text) {
    var plain = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(plain + "===".slice((plain.length + 3) % 4)), function (c) { return c.charCodeAt(0); });
  }
  function text(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (b) { plain += String.fromCharCode(b); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function ask(path, body) {
    var headers = { "Content-Type": "application/json" };
    if (box.dataset.csrf) headers["X-CSRF-Token"] = box.dataset.csrf;
    return fetch(path, { method: "POST", headers: headers, credentials: "same-origin", body: JSON.stringify(body) }).then(function (answer) {
      if (answer.status === 204) return null;
      return answer.json().then(function (json) {
        if (!answer.ok) throw new Error(json.title + (json.help ? ". " + json.help : ""));
        return json;
      });
    });
  }
  function each(list) {
    (list || []).forEach(function (one) { one.id = bytes(one.id); });
  }
  function signIn() {
    var email = document.querySelector("input[name=email]");
    return ask(box.dataset.begin, { email: email ? email.value : "" }).then(function (begun) {
      var key = begun.options.publicKey;
      key.challenge = bytes(key.challenge);
      each(key.allowCredentials);
      return navigator.credentials.get({ publicKey: key }).then(function (got) {
        return ask(box.dataset.finish, { ceremony: begun.ceremony, credential: {
          id: got.id, rawId: text(got.rawId), type: got.type, extensions: got.getClientExtensionResults(),
          response: {
            authenticatorData: text(got.response.authenticatorData), clientDataJSON: text(got.response.clientDataJSON),
            signature: text(got.response.signature), userHandle: got.response.userHandle ? text(got.response.userHandle) : null
          }
        } });
      });
    });
  }
  function enrol() {
    return ask(box.dataset.begin, {}).then(function (begun) {
      var key = begun.options.publicKey;
      key.challenge = bytes(key.challenge);
      key.user.id = bytes(key.user.id);
      each(key.excludeCredentials);
      return navigator.credentials.create({ publicKey: key }).then(function (made) {
        return ask(box.dataset.finish, { ceremony: begun.ceremony, label: "Passkey", credential: {
          id: made.id, rawId: text(made.rawId), type: made.type, extensions: made.getClientExtensionResults(),
          response: { attestationObject: text(made.response.attestationObject), clientDataJSON: text(made.response.clientDataJSON) }
        } });
      });
    });
  }
  box.hidden = false;
  button.addEventListener("click", function () {
    button.disabled = true;
    say.textContent = "Waiting for your passkey";
    (box.dataset.passkey === "enrol" ? enrol() : signIn()).then(function () {
      window.location.assign(box.dataset.then);
    }).catch(function (error) {
      button.disabled = false;
      say.textContent = error.name === "NotAllowedError" ? "No passkey was used. Try again, or use another way." : error.message;
    });
  });
})();
