"""The frame of every page."""

import streamlit as st

from etlml.ui import frame, parts, theme

st.set_page_config(page_title="etlml", page_icon=theme.icon(), layout="wide", initial_sidebar_state="expanded")
user = frame.require_user()
frame.dress(user)
pages = frame.pages()
page = st.navigation(list(pages.values()), position="hidden")
frame.side_bar(pages, page, user)
parts.pending_toasts()
with parts.shown_errors():
    page.run()
