"""The catalogue's tables: filled from the files, read into memory."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from data.catalogue import FOLDER, Entries, digest_of, load_files
from data.catalogue.files import Allowances, CategoryEntry, OptionEntry, TariffEntry, Wording
from data.model import ALLOWANCES, Allowance, Catalogue, Category, Option, Tariff
from data.store import StoreError

Row = dict[str, Any]

TARIFFS_OF_OPTIONS = "SELECT option, tariff FROM option_tariffs"
CONFLICTS = "SELECT option, other FROM option_conflicts UNION SELECT other, option FROM option_conflicts"


def refresh(connection: sqlite3.Connection, folder: Path = FOLDER) -> bool:
    """Load the files of a folder into the tables if they have changed since the last time; answers whether.

    Raises StoreError: a file cannot be used (with its line), or what was taken out of it is still in use.
    """
    digest = digest_of(folder)
    if connection.execute("SELECT 1 FROM meta WHERE name = 'catalogue' AND value = ?", (digest,)).fetchone():
        return False
    entries = load_files(folder)
    db = Database(connection)
    try:
        with db.atomic():
            _write(db, entries)
            db.table("meta").upsert({"name": "catalogue", "value": digest}, pk="name")
    except sqlite3.IntegrityError as error:
        raise StoreError(f"{folder}: an entry that was taken out of the catalogue is still in use") from error
    return True


def read(connection: sqlite3.Connection) -> Catalogue:
    """The catalogue as the tables hold it."""
    db = Database(connection)
    tariffs, conflicts = _sets(db, TARIFFS_OF_OPTIONS), _sets(db, CONFLICTS)
    return Catalogue(
        categories={
            row["code"]: Category(row["code"], _names(row)) for row in _rows(db, "categories", "position")
        },
        tariffs={row["code"]: _tariff(row) for row in _rows(db, "tariffs", "position")},
        options={
            row["number"]: _option(row, tariffs[row["number"]], conflicts[row["number"]])
            for row in _rows(db, "options", "number")
        },
    )


def _write(db: Database, entries: Entries) -> None:
    """Upsert and not replace: what subscribers have refers to these rows."""
    for table in ("option_tariffs", "option_conflicts"):
        db.table(table).delete_where()
    db.table("categories").upsert_all(
        [_category_row(*each) for each in enumerate(entries.categories)], pk="code"
    )
    db.table("tariffs").upsert_all([_tariff_row(*each) for each in enumerate(entries.tariffs)], pk="code")
    db.table("options").upsert_all([_option_row(option) for option in entries.options], pk="number")
    _delete_others(db, "options", "number", [option.number for option in entries.options])
    _delete_others(db, "tariffs", "code", [tariff.code for tariff in entries.tariffs])
    _delete_others(db, "categories", "code", [category.code for category in entries.categories])
    for option in entries.options:
        db.table("option_tariffs").insert_all(
            {"option": option.number, "tariff": code} for code in option.tariffs
        )
        db.table("option_conflicts").insert_all(
            {"option": option.number, "other": other} for other in option.conflicts
        )


def _delete_others(db: Database, table: str, key: str, kept: list[Any]) -> None:
    marks = ", ".join("?" * len(kept))
    db.table(table).delete_where(f"{key} NOT IN ({marks})", kept)


def _category_row(position: int, entry: CategoryEntry) -> Row:
    return {"code": entry.code, "position": position, **_name_columns(entry.name)}


def _tariff_row(position: int, entry: TariffEntry) -> Row:
    return {
        "code": entry.code,
        "position": position,
        **_name_columns(entry.name),
        "corporate": int(entry.corporate),
        "fee_kopecks": entry.fee_kopecks,
        **_allowance_columns(entry.allowances),
        "sms_from_kopecks": entry.sms_kopecks[0],
        "sms_to_kopecks": entry.sms_kopecks[1],
        "minute_from_kopecks": entry.minute_kopecks[0],
        "minute_to_kopecks": entry.minute_kopecks[1],
    }


def _option_row(entry: OptionEntry) -> Row:
    return {
        "number": entry.number,
        "category": entry.category,
        **_name_columns(entry.name),
        "fee_kopecks": entry.fee_kopecks,
        "corporate_only": int(entry.corporate_only),
        **_allowance_columns(entry.allowances),
        "exclusive_group": entry.exclusive_group,
        "minute_above_kopecks": entry.minute_above_kopecks,
    }


def _name_columns(name: Wording) -> Row:
    return {"name_ru": name.ru, "name_en": name.en}


def _allowance_columns(allowances: Allowances) -> Row:
    return {kind: getattr(allowances, kind) or 0 for kind in ALLOWANCES}


def _rows(db: Database, table: str, order_by: str) -> Iterable[Row]:
    return db.table(table).rows_where(order_by=order_by)


def _sets(db: Database, query: str) -> defaultdict[int, set[Any]]:
    found: defaultdict[int, set[Any]] = defaultdict(set)
    for key, value in db.execute(query):
        found[key].add(value)
    return found


def _tariff(row: Row) -> Tariff:
    return Tariff(
        code=row["code"],
        name=_names(row),
        corporate=bool(row["corporate"]),
        fee_kopecks=row["fee_kopecks"],
        allowances=_allowances(row),
        sms_kopecks=(row["sms_from_kopecks"], row["sms_to_kopecks"]),
        minute_kopecks=(row["minute_from_kopecks"], row["minute_to_kopecks"]),
    )


def _option(row: Row, tariffs: set[str], conflicts: set[int]) -> Option:
    return Option(
        number=row["number"],
        category=row["category"],
        name=_names(row),
        fee_kopecks=row["fee_kopecks"],
        corporate_only=bool(row["corporate_only"]),
        exclusive_group=row["exclusive_group"],
        tariffs=frozenset(tariffs),
        conflicts=frozenset(conflicts),
        allowances=_allowances(row),
        minute_above_kopecks=row["minute_above_kopecks"],
    )


def _names(row: Row) -> dict[str, str]:
    return {"ru": row["name_ru"], "en": row["name_en"]}


def _allowances(row: Row) -> dict[Allowance, int]:
    return {kind: row[kind] for kind in ALLOWANCES if row[kind]}
