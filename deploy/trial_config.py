"""A hub to try on your own machine, and for the tests: NOT for a class.

Whoever knows the one password is whoever they say, and all servers run as the user who starts this, so that nobody is
kept from anybody's files. `ORALEDU_TRIAL_PASSWORD=… jupyterhub -f deploy/trial_config.py`, as any user.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

state = Path(os.environ.setdefault("ORALEDU_HUB_STATE", "hub-trial")).resolve()
os.environ["ORALEDU_HUB_STATE"] = str(state)
load_subconfig(str(Path(__file__).with_name("jupyterhub_config.py")))  # noqa: F821 (JupyterHub gives it)
c = get_config()  # noqa: F821

host = urlsplit(c.JupyterHub.bind_url).hostname
if host not in ("127.0.0.1", "localhost", "::1"):
    raise SystemExit(f"trial_config.py is for this machine alone, not for {host}; use jupyterhub_config.py")

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["ORALEDU_TRIAL_PASSWORD"]
c.SharedPasswordAuthenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(state / "homes" / "{username}")
