"""The pages: what is served to whom, and that no file of them could run or load what is not ours."""

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import websockets
import yaml

from data.seed import subscribers
from smpp_sim.api.pages import FOLDER, TYPE_BY_SUFFIX, content_security_policy, static_file
from smpp_sim.centre.delivery import DeliveryQueue, QueueFull
from smpp_sim.centre.messages import MAX_SMS, sms_from_phone
from smpp_sim.centre.network import CLOSED
from smpp_sim.centre.routing import route
from smpp_sim.config import read_config
from smpp_sim.phones.handset import Handset, NotPossible
from smpp_sim.phones.keypad import Local, NotACode, read_code
from smpp_sim.settings import BOOK, BookEntry, SimulatorError
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import SPEC, WireEsme, scene, settings

FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
SCRIPTS = [name for name in FILES if name.endswith(".js")]
OWN_SCRIPTS = [name for name in SCRIPTS if not name.startswith("trace/")]
STYLES = [name for name in FILES if name.endswith(".css")]


def client(sim):
    return httpx.AsyncClient(base_url=sim.url, trust_env=False, timeout=10)


def content(name):
    return (FOLDER / name).read_text("utf-8")


# --- serving ------------------------------------------------------------------------------------------------------


@scene
async def test_every_file_is_served_with_its_type():
    async with Simulator(settings()) as sim, client(sim) as http:
        assert (await http.get("/")).text == content("index.html")
        for name in FILES:
            answer = await http.get(f"/static/{name}")
            assert answer.status_code == 200, name
            assert answer.headers["content-type"] == TYPE_BY_SUFFIX[Path(name).suffix]
            assert answer.content == (FOLDER / name).read_bytes()


@scene
async def test_every_answer_carries_the_headers_that_keep_others_out():
    async with Simulator(settings()) as sim, client(sim) as http:
        for path in ("/", "/static/app.js", "/static/nothing.js", "/api", "/api/phones/ivan"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
            assert policy == {
                "default-src": "'none'",
                "script-src": "'self'",
                "style-src": "'self'",
                "img-src": "'self' data:",
                "connect-src": f"'self' ws://127.0.0.1:{sim.http_port} wss://127.0.0.1:{sim.http_port}",
                "base-uri": "'none'",
                "form-action": "'none'",
                "frame-ancestors": "'none'",
            }
        assert (await http.get("/api")).headers["cache-control"] == "no-store"


def test_a_host_that_is_none_does_not_get_into_the_policy():
    for host in ("", "a; script-src *", "x\r\ny", "http://x", "a b"):
        assert "connect-src 'self';" in content_security_policy(host), host
    assert "ws://[::1]:8105 " in content_security_policy("[::1]:8105")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "phone",
        "nothing.js",
        "../api.py",
        "../../setup.cfg",
        "phone/../../api.py",
        "/etc/passwd",
        "//etc/passwd",
        "..\\api.py",
        "app.js\0.css",
        "app.js/",
        ".",
        "a" * 5000 + ".js",
    ],
)
def test_nothing_outside_the_folder_is_found(path):
    found = static_file(path)
    assert found is None or found == FOLDER / "app.js", found


def test_a_link_that_leads_out_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "static").mkdir()
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "static" / "out.js").symlink_to(tmp_path / "secret.js")
    monkeypatch.setattr("smpp_sim.api.pages.FOLDER", tmp_path / "static")
    assert static_file("out.js") is None


@scene
async def test_a_path_with_dots_on_the_wire_gets_nothing():
    """httpx would tidy such a path up, so it is sent by hand."""
    async with Simulator(settings()) as sim:
        for path in ("/static/../api.py", "/static/%2e%2e/api.py", "/static/..%2fapi.py", "/static/%00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", sim.http_port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            assert b" 404 " in answer.split(b"\r\n", 1)[0], path
            assert b"Starlette" not in answer


@scene
async def test_the_files_take_no_other_method():
    async with Simulator(settings()) as sim, client(sim) as http:
        assert (await http.head("/")).status_code == 200
        assert (await http.post("/")).status_code == 405
        assert (await http.put("/static/app.js")).status_code == 405


# --- who may ------------------------------------------------------------------------------------------------------


@scene
async def test_with_a_token_the_files_are_open_and_what_they_show_is_not():
    async with Simulator(settings(http_token="abc")) as sim, client(sim) as http:
        assert (await http.get("/")).status_code == 200
        assert (await http.get("/static/app.js")).status_code == 200
        for path in ("/api", "/api/book", "/api/mail", "/api/phones/79260000003"):
            refused = await http.get(path)
            assert (refused.status_code, "token" in refused.json()["error"]) == (401, True), path
        assert (await http.post("/")).status_code == 401
        book = await http.get("/api/book", headers={"Authorization": "Bearer abc"})
        assert len(book.json()["subscribers"]) == len(BOOK)


@scene
async def test_pages_are_not_for_foreign_hosts_and_origins():
    async with Simulator(settings()) as sim, client(sim) as http:
        for path in ("/", "/static/app.js", "/api/book"):
            assert (await http.get(path, headers={"Host": "evil.example"})).status_code == 403
            for origin in ("http://evil.example", "null", "http://localhost.evil.example"):
                answer = await http.get(path, headers={"Origin": origin})
                assert answer.status_code == 403, origin
                assert "access-control-allow-origin" not in answer.headers
            own = {"Origin": f"http://127.0.0.1:{sim.http_port}"}
            assert (await http.get(path, headers=own)).status_code == 200


@scene
async def test_a_stream_is_not_for_foreign_pages():
    async with Simulator(settings()) as sim:
        stream = f"ws://127.0.0.1:{sim.http_port}/api/phones/79260000003/stream"
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{sim.http_port}.evil.example"):
            with pytest.raises(websockets.InvalidStatus, match="403"):
                await websockets.connect(stream, origin=origin)
        async with websockets.connect(stream, origin=f"http://127.0.0.1:{sim.http_port}"):
            pass


# --- the files ----------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """All start tags of a page, and the text inside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.inside, self._open = [], "", ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open in ("script", "style"):
            self.inside += data.strip()


def test_the_page_has_no_script_or_style_of_its_own_inside():
    page = Elements(content("index.html"))
    assert page.inside == ""
    for tag, attributes in page.elements:
        assert tag not in ("style", "base", "iframe", "object", "embed"), tag
        assert not [name for name in attributes if name == "style" or name.startswith("on")], attributes
        assert tag != "script" or attributes.get("src"), "a script has to be a file"
        for name in ("src", "href"):
            address = attributes.get(name, "")
            assert address[:1] in ("", "#") or static_file(address.removeprefix("/static/")), address


def test_the_page_has_the_sections_and_names_that_others_hold_on_to():
    page = Elements(content("index.html"))
    sections = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
    assert sections == ["phones", "trace", "mail", "book"]
    named = [attributes for tag, attributes in page.elements if tag in ("section", "nav")]
    assert all("aria-label" in attributes for attributes in named)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_makes_no_markup_and_no_code_out_of_texts(name):
    text = content(name)
    forbidden = (
        r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
        r"|setAttribute\('style'|\bsrcdoc\b|javascript:|createContextualFragment"
    )
    assert re.findall(forbidden, text) == [], name
    assert re.findall(r"https?://(?!www\.w3\.org/)", text) == [], f"{name} names a foreign address"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_what_there_is(name):
    imported = re.findall(r"""(?:from|import|import\()\s*['"]([^'"]+)['"]""", content(name))
    for path in imported:
        assert path.startswith(("./", "../")), path
        assert ((FOLDER / name).parent / path).resolve().is_file(), f"{name} imports {path}"


@pytest.mark.parametrize("name", STYLES)
def test_a_stylesheet_loads_nothing(name):
    assert re.findall(r"@import|url\((?!['\"]?data:)", content(name)) == []


def test_every_colour_of_the_dark_theme_is_the_same_by_system_and_by_switch():
    blocks = re.findall(r":root[^{]*\{([^{}]*)\}", content("theme.css"))
    light, system, switch = (dict(re.findall(r"(--[\w-]+): ([^;]+);", block)) for block in blocks)
    assert system == switch
    assert set(system) <= set(light)


def test_files_in_every_folder_are_packed():
    packed = (FOLDER.parents[1] / "setup.cfg").read_text("utf-8")
    depth = max(name.count("/") for name in FILES)
    assert depth == 1
    assert "    static/*\n    static/*/*\n" in packed


# --- words --------------------------------------------------------------------------------------------------------

PREFIXES = "page|token|phone|box|sms|mail|book|note|service"
MADE_UP = ("note.", "service.")
"""Beginnings of keys that scripts put together."""


def texts(language):
    found = re.findall(r"^  '([^']+)': '(.*)',$", content(f"i18n/{language}.js"), re.MULTILINE)
    assert len(dict(found)) == len(found), "a key stands twice"
    return dict(found)


def used_keys():
    scripts = [name for name in OWN_SCRIPTS if not re.fullmatch(r"i18n/(ru|en)\.js", name)]
    found = {key for name in scripts for key in re.findall(rf"'((?:{PREFIXES})\.[\w-]+)'", content(name))}
    return found | set(re.findall(r'data-t(?:-\w+)?="([^"]+)"', content("index.html")))


def test_every_text_stands_in_both_languages_with_the_same_values():
    russian, english = texts("ru"), texts("en")
    assert list(russian) == list(english)
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", russian[key])), key


def test_every_key_that_is_used_has_a_text_and_every_text_is_used():
    known = set(texts("en"))
    assert used_keys() - known == set()
    assert {key for key in known - used_keys() if not key.startswith(MADE_UP)} == set()


def test_every_line_of_the_languages_was_read():
    for language in ("ru", "en"):
        lines = content(f"i18n/{language}.js").splitlines()
        assert len(texts(language)) == sum(line.startswith("  '") for line in lines)


def sentences_of_the_phone():
    """What a phone says itself, in one sentence of each kind."""
    phone = Handset("79260000003")
    for refused in (phone.press_ok, phone.cancel, lambda: phone.answer("1"), lambda: phone.dial("a")):
        with pytest.raises(NotPossible) as problem:
            refused()
        yield str(problem.value)
    phone.dial("*100#")
    with pytest.raises(NotPossible) as problem:
        phone.dial("*100#")
    yield str(problem.value)
    yield phone.fail()[0].text
    phone.switch_off()
    with pytest.raises(NotPossible) as problem:
        phone.dial("*100#")
    yield str(problem.value)
    yield CLOSED
    for typed in ("*#06#", "**21*7#", "555", "1" * 200 + "#"):
        answer = read_code(typed, phone.msisdn)
        assert isinstance(answer, Local | NotACode)
        yield answer.why
    yield from refusals_of_the_network()


def refusals_of_the_network():
    """To a phone that sends an SMS, or is put on the table."""
    full = DeliveryQueue(0, 1.0, 1.0)
    for refused in (
        lambda: route([], "000110"),
        lambda: sms_from_phone("79260000003", "000110", "x" * (MAX_SMS + 1), reference=1),
        lambda: full.require_room(1, 0.0),
    ):
        with pytest.raises((NotPossible, QueueFull)) as problem:
            refused()
        yield str(problem.value)


def test_what_the_phone_says_is_known_in_both_languages():
    forms = re.findall(r"^  \[/(.*)/, '([\w.]+)'\],$", content("phone/wording.js"), re.MULTILINE)
    assert forms
    for sentence in sentences_of_the_phone():
        found = [key for form, key in forms if re.search(form.replace("(?<", "(?P<"), sentence)]
        assert found, f"wording.js does not know {sentence!r}"
        assert found[0] in texts("ru")


def test_services_of_the_network_have_a_name_in_both_languages():
    for code in ["21", "43", "33", "30", "96", "370", "214", "590", "88", "66", "360", "75", "03", "04"]:
        name = read_code(f"*#{code}#").why.partition(":")[0]
        assert f"service.{name.lower().replace(' ', '-')}" in texts("ru"), name


# --- the phone book -----------------------------------------------------------------------------------------------


@scene
async def test_the_book_is_listed():
    async with Simulator(settings()) as sim, client(sim) as http:
        first = (await http.get("/api/book")).json()["subscribers"][0]
    assert first == {
        "msisdn": "79260000000",
        "name": "Вера Котова",
        "tariff": "Корпоративный Стандарт VIP",
        "language": "ru",
        "note": "corporate",
    }


def test_the_book_is_what_seed_makes():
    catalogue = yaml.safe_load((FOLDER.parents[1] / "data/catalogue/tariffs.yaml").read_text("utf-8"))
    tariffs = {tariff["code"]: tariff["name"].values() for tariff in catalogue}
    notes = {"corporate", "blocked", "little-money", "no-packages", "packages-used-up"}
    for entry, seeded in zip(BOOK, subscribers(len(BOOK)), strict=True):
        assert entry.msisdn == str(seeded.msisdn)
        wanted = "ru-Latn" if (seeded.language, seeded.script) == ("ru", "latin") else seeded.language
        assert entry.language == wanted, entry
        assert entry.tariff in tariffs[seeded.tariff], entry
        assert (entry.note == "corporate") == (seeded.contract is not None)
        assert (entry.note == "blocked") == seeded.blocked
    assert {entry.note for entry in BOOK} - {""} == notes
    assert notes == {key.removeprefix("note.") for key in texts("en") if key.startswith("note.")}


def test_the_book_comes_from_the_file(tmp_path):
    path = tmp_path / "sim.toml"
    path.write_text('[[book]]\nmsisdn = "4915100000001"\nname = "Ada"\n', "utf-8")
    assert read_config(path).book == (BookEntry("4915100000001", "Ada"),)
    path.write_text('[[book]]\nmsisdn = "ada"\nname = "Ada"\n', "utf-8")
    with pytest.raises(SimulatorError, match="book: 'ada' is no phone number"):
        read_config(path)
    path.write_text('[[book]]\nmsisdn = "491"\nnam = "Ada"\n', "utf-8")
    with pytest.raises(SimulatorError, match=r"sim.toml:3: unknown key book.0.nam; did you mean name"):
        read_config(path)


# --- what the pages hear of ---------------------------------------------------------------------------------------


@scene
async def test_a_box_behind_another_one_is_told():
    async with Simulator(settings()) as sim, client(sim) as http:
        esme = await WireEsme.bind(sim.smpp_port)
        sim.phone("79260000003").dial("*#06#")
        waiting = http.get("/api/phones/79260000003/events?kind=hidden&wait=5")
        await esme.submit(SPEC.push("79260000003", "105", "hello", "push_notify"))
        assert [event["hidden"] for event in (await waiting).json()["events"]] == [1]
        await esme.cut()
