"""The Flask extensions, made once and bound to the application in `create_app`."""

from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_socketio import SocketIO
from flask_sqlalchemy_lite import SQLAlchemy
from flask_wtf import CSRFProtect

from portal.models.session import TenantSession

db = SQLAlchemy(session_options={"class_": TenantSession, "expire_on_commit": False})
migrate = Migrate()
login_manager = LoginManager()
babel = Babel()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, strategy="moving-window", headers_enabled=False)
socketio = SocketIO()
