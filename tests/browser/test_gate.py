"""Sign-in: nobody gets in without it, and what is behind it stays there."""

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module", autouse=True)
def _ada(guarded_studio: Studio) -> None:
    guarded_studio.services.users.create("ada", PASSWORD, role="viewer")


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_deep_link_leads_through_sign_in_to_where_it_points(guarded_studio: Studio, page: Page) -> None:
    page.goto(f"{guarded_studio.url}/pipelines?q=fl")
    expect(page.get_by_role("heading", name="etlml")).to_be_visible()
    sign_in(page)
    page.wait_for_url("**/pipelines?q=fl")
    expect(page.locator(".rows")).to_contain_text("flights")


def test_a_wrong_password_is_refused(guarded_studio: Studio, page: Page) -> None:
    page.goto(guarded_studio.url)
    sign_in(page, "wrong horse battery")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")


def test_the_cookie_cannot_be_read_by_scripts(guarded_studio: Studio, page: Page) -> None:
    page.goto(guarded_studio.url)
    sign_in(page)
    expect(page.get_by_test_id("stSidebar")).to_contain_text("ada")
    cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == "etlml_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_a_viewer_cannot_run(guarded_studio: Studio, page: Page) -> None:
    page.goto(f"{guarded_studio.url}/pipeline?id=flights")
    sign_in(page)
    expect(page.locator(".st-key-run button")).to_be_disabled()


def test_sign_out_shuts_the_door(guarded_studio: Studio, page: Page) -> None:
    page.goto(guarded_studio.url)
    sign_in(page)
    page.get_by_text("Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(f"{guarded_studio.url}/logs")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/_stcore/host-config", "/_stcore/stream", "/_stcore/bidi-components/x", "/media/x", "/anything"]
)
def test_nothing_behind_the_gate_answers_without_a_cookie(guarded_studio: Studio, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(guarded_studio.url + path)


def test_sign_in_never_leads_to_another_server(guarded_studio: Studio, page: Page) -> None:
    page.goto(f"{guarded_studio.url}/login?next=//evil.example/")
    sign_in(page)
    page.wait_for_url(f"{guarded_studio.url}/")
