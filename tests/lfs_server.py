"""A server of Git LFS (Giftless) on 127.0.0.1 that keeps its objects in a folder: python3 lfs_server.py FOLDER [USER PASSWORD].

Prints its address when it listens. With a user, whoever asks must say so, by HTTP's basic authentication.
"""

import base64
import os
import sys
import tempfile
import textwrap

folder, login = sys.argv[1], sys.argv[2:]
config = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
config.write(textwrap.dedent(f"""
    AUTH_PROVIDERS:
      - &jwt
        factory: giftless.auth.jwt:factory
        options: {{algorithm: HS256, private_key: nobody-needs-to-hide-this-key-of-a-test}}
      - giftless.auth.allow_anon:read_write
    PRE_AUTHORIZED_ACTION_PROVIDER: *jwt
    TRANSFER_ADAPTERS:
      basic:
        factory: giftless.transfer.basic_streaming:factory
        options:
          storage_class: giftless.storage.local_storage:LocalStorage
          storage_options: {{path: {folder}}}
"""))
config.close()
os.environ["GIFTLESS_CONFIG_FILE"] = config.name

from giftless.app import init_app  # noqa: E402  (it reads the configuration when it is imported)
from werkzeug.serving import make_server  # noqa: E402

application = init_app()
expected = "Basic " + base64.b64encode(":".join(login).encode()).decode()


def guarded(environ, start):
    if login and environ["PATH_INFO"].endswith("/batch") and environ.get("HTTP_AUTHORIZATION") != expected:
        start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="lfs"')])
        return [b""]
    # The server's own rules know no passwords.
    environ.pop("HTTP_AUTHORIZATION", None) if login and environ["PATH_INFO"].endswith("/batch") else None
    return application(environ, start)


server = make_server("127.0.0.1", 0, guarded, threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
