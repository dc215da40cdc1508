"""The studio: ``streamlit run app.py``."""

import streamlit as st

from etlml.ui import server

app = st.App("pages/main.py", routes=server.routes(), middleware=server.middleware(), lifespan=server.lifespan)
