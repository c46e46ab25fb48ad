"""JupyterHub for a class on one Linux machine: `jupyterhub -f deploy/jupyterhub_config.py`, as root.

Learners are accounts of the machine in the group `oraledu`, teachers in `oraledu-teachers`. Where your school has a
sign-on, put its authenticator (LTI, OAuth, LDAP) in the place of "pam", and keep the rest.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterHub gives it)

STATE = Path(os.environ.get("ORALEDU_HUB_STATE", "/srv/oraledu"))
STATE.mkdir(mode=0o700, parents=True, exist_ok=True)

# Plain HTTP for this machine alone: a web server in front of it brings HTTPS. The path is the hub's base_url.
c.JupyterHub.bind_url = os.environ.get("ORALEDU_HUB_URL", "http://127.0.0.1:8000/")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
# A hub that is started anew finds the learners' servers as they were.
c.JupyterHub.cleanup_servers = False

c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {"oraledu", "oraledu-teachers"}
c.PAMAuthenticator.admin_groups = {"oraledu-teachers"}
c.PAMAuthenticator.open_sessions = False

# When the server starts, the user's own process copies the lessons into `work` in the home; it overwrites nothing.
c.Spawner.cmd = [sys.executable, "-m", "oraledu", "hub"]
# Of each process of a user, such as a notebook's kernel: a cell that asks for more ends in an error.
c.Spawner.mem_limit = os.environ.get("ORALEDU_HUB_MEMORY", "3G")
# One thread and one process a lesson: the cores are for the whole class.
c.Spawner.environment = {"OMP_NUM_THREADS": "1", "ORALEDU_THREADS": "1"}
c.Spawner.http_timeout = 60
c.JupyterHub.concurrent_spawn_limit = 10
# As many as fit 24 GB at the end of the largest lesson; whoever comes later reads that the hub is full.
c.JupyterHub.active_server_limit = int(os.environ.get("ORALEDU_HUB_LEARNERS", "14"))

# A server that nobody has used for an hour ends, and gives its memory back; what was saved stays.
IDLE = os.environ.get("ORALEDU_HUB_IDLE", "3600")
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
