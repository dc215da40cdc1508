"""``python -m api``: serve REST with the settings of the environment."""

import logging

from api.main import serve
from etlml.settings import get_settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve(get_settings())
