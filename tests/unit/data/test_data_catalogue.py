"""The catalogue: what the seed promises, and that every mistake in a file is told with its line."""

import shutil

import pytest

from data.catalogue import FOLDER
from data.catalogue.files import Allowances, CatalogueError, load_files
from data.model import ALLOWANCES, Allowance
from data.opening import open_store
from data.sqlite import catalogue
from data.sqlite.opening import connect
from data.sqlite.store import SqliteStore
from data.store import StoreError

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path):
    """A copy of the files, to be spoilt."""
    for file in FOLDER.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def edit(file, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def line_of(file, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text("utf-8").splitlines(), 1) if text in line)


class TestPromises:
    """Terms that the product was ordered with."""

    @pytest.mark.parametrize(
        ("number", "minutes", "fee_kopecks", "minute_above_kopecks"),
        [(100, 100, 30_000, 250), (300, 300, 75_000, 200), (500, 500, 100_000, 180)],
    )
    async def test_call_geography(self, store, number, minutes, fee_kopecks, minute_above_kopecks):
        option = store.catalogue.options[number]
        assert option.name["ru"] == f"География вызова: Город {number}"
        assert option.allowances == {"minutes": minutes}
        assert (option.fee_kopecks, option.minute_above_kopecks) == (fee_kopecks, minute_above_kopecks)
        assert (option.exclusive_group, option.corporate_only) == ("call-geography", True)

    async def test_corporate_standard_vip(self, store):
        tariff = store.catalogue.tariffs["corporate-vip"]
        assert tariff.name["ru"] == "Корпоративный Стандарт VIP"
        assert (tariff.fee_kopecks, tariff.corporate) == (20_000, True)
        assert tariff.allowances == {"sms": 500, "mb": 500}
        assert (tariff.sms_kopecks, tariff.minute_kopecks) == ((175, 350), (500, 6000))

    async def test_the_five_categories_in_their_order(self, store):
        assert [category.name["ru"] for category in store.catalogue.categories.values()] == [
            "Семья", "Развлечения", "Межгород", "Общение и связь", "Переводы и платежи",
        ]  # fmt: skip

    async def test_every_category_offers_something_to_everybody(self, store):
        offered = {
            option.category for option in store.catalogue.options.values() if not option.corporate_only
        }
        assert offered == store.catalogue.categories.keys()

    async def test_a_conflict_holds_both_ways(self, store):
        options = store.catalogue.options
        pairs = {(number, other) for number, option in options.items() for other in option.conflicts}
        assert pairs == {(other, number) for number, other in pairs}
        assert pairs

    async def test_names_exist_in_both_languages(self, store):
        known = store.catalogue
        for named in (*known.categories.values(), *known.tariffs.values(), *known.options.values()):
            assert all(named.name[language] for language in ("ru", "en"))


MISTAKES = {
    "money that is not kopecks": (
        "options.yaml",
        "fee_kopecks: 9900",
        "fee_kopecks: 99.00",
        "fee_kopecks: 99.00",
    ),
    "a debt for a fee": ("options.yaml", "fee_kopecks: 9900", "fee_kopecks: -1", "fee_kopecks: -1"),
    "a field misspelt": ("options.yaml", "corporate_only: true", "corporate: true", "corporate: true"),
    "a name in one language": ("options.yaml", "{ru: Кино, en: Films}", "{ru: Кино}", "{ru: Кино}"),
    "no name": ("tariffs.yaml", "  name: {ru: Звезда Макс, en: Zvezda Max}\n", "", "- code: max"),
    "a number taken": ("options.yaml", "- number: 12\n", "- number: 11 # again\n", "- number: 11 # again"),
    "an unknown category": ("options.yaml", "category: fun", "category: games", "category: games"),
    "an unknown tariff": ("options.yaml", "tariffs: [smart, max]", "tariffs: [smrt]", "tariffs: [smrt]"),
    "a conflict with itself": (
        "options.yaml",
        "conflicts: [21, 22, 42]",
        "conflicts: [43]",
        "conflicts: [43]",
    ),
    "half a range": (
        "tariffs.yaml",
        "minute_kopecks: [500, 6000]",
        "minute_kopecks: [500]",
        "minute_kopecks: [500]",
    ),
    "an allowance of nothing": ("options.yaml", "{mb: 5120}", "{mb: 0}", "{mb: 0}"),
    "a list that never ends": (
        "categories.yaml",
        "{ru: Семья, en: Family}",
        "{ru: Семья, en: Family",
        "- code: fun",
    ),
    "a list that is none": ("categories.yaml", "- code: family", "code: family", "code: family"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_and_line(folder, mistake):
    name, old, new, told_at = MISTAKES[mistake]
    edit(folder / name, old, new)
    with pytest.raises(CatalogueError) as caught:
        load_files(folder)
    error = caught.value
    if mistake == "a list that is none":
        assert error.file == folder / name
    else:
        assert (error.file, error.line) == (folder / name, line_of(folder / name, told_at)), error
    assert str(error).startswith(f"{folder / name}:{error.line}: ")
    assert "\n" not in str(error)


def test_a_file_that_is_missing(folder):
    (folder / "tariffs.yaml").unlink()
    with pytest.raises(CatalogueError, match="No such file"):
        load_files(folder)


@pytest.fixture
def connection():
    """A store's connection to its tables, filled from the files that are ours."""
    opened = connect(":memory:")
    yield opened
    opened.close()


class TestRefresh:
    """From the files into the tables."""

    def test_only_when_a_file_has_changed(self, connection, folder):
        assert not catalogue.refresh(connection)
        edit(folder / "options.yaml", "fee_kopecks: 9900", "fee_kopecks: 8900")
        assert catalogue.refresh(connection, folder)
        assert not catalogue.refresh(connection, folder)
        assert catalogue.read(connection).options[21].fee_kopecks == 8900

    def test_what_left_the_files_leaves_the_tables(self, connection, folder):
        edit(
            folder / "options.yaml", (folder / "options.yaml").read_text("utf-8").split("- number: 51")[1], ""
        )
        edit(folder / "options.yaml", "- number: 51", "")
        catalogue.refresh(connection, folder)
        assert 51 not in catalogue.read(connection).options

    async def test_unless_it_is_in_use(self, connection, new, folder):
        before = catalogue.read(connection)
        store = SqliteStore(connection, "in memory", None)
        async with store.unit() as unit:
            await unit.facts.import_subscribers([new("79260000003")])
            await unit.facts.switch_on("79260000003", 51, 1.0)
        (folder / "options.yaml").write_text(
            (folder / "options.yaml").read_text("utf-8").split("- number: 51")[0]
        )
        with pytest.raises(StoreError, match="still in use"):
            catalogue.refresh(connection, folder)
        assert catalogue.read(connection) == before

    def test_a_mistake_changes_nothing(self, connection, folder):
        before = catalogue.read(connection)
        edit(folder / "options.yaml", "category: fun", "category: games")
        with pytest.raises(CatalogueError):
            catalogue.refresh(connection, folder)
        assert catalogue.read(connection) == before

    async def test_what_is_read_does_not_depend_on_who_loaded_it(self, store, url):
        for _ in range(2):
            again = open_store(url)
            assert again.catalogue == store.catalogue
            await again.close()


def test_allowances_have_the_same_kinds_everywhere():
    assert tuple(Allowances.model_fields) == ALLOWANCES == Allowance.__args__
