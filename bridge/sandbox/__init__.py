"""The systems we talk to, as WSGI apps with one shared ``World``; only the command line and tests import it."""
