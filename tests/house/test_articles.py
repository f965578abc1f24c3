"""No article is forgotten, and what is said of one is true of the files."""

import re
from pathlib import Path

from compliance.articles import ARTICLES, articles

ROOT = Path(__file__).parent.parent.parent


def test_each_of_the_62_articles_has_one_row() -> None:
    assert [row.article for row in articles()] == list(range(1, ARTICLES + 1))


def test_code_and_tests_of_every_article_exist() -> None:
    named = {path for row in articles() for path in (*row.code, *row.tests)}
    assert {path for path in named if not (ROOT / path).is_file()} == set()


def test_every_article_with_tests_of_its_own_names_them() -> None:
    """tests/articles/test_article_44.py belongs to the row of Article 44, with its number in every test's name."""
    rows = {row.article: row for row in articles()}
    for path in sorted((ROOT / "tests" / "articles").glob("test_article_*.py")):
        number = int(path.name.removeprefix("test_article_")[:2])
        assert f"tests/articles/{path.name}" in rows[number].tests, path.name
        names = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert names
        assert [name for name in names if not name.startswith(f"test_article_{number:02d}_")] == [], path.name


def test_every_article_with_behaviour_has_a_test_with_its_number() -> None:
    names = {
        int(number)
        for path in (ROOT / "tests" / "articles").glob("test_*.py")
        for number in re.findall(r"^def test_article_(\d\d)_", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert names == {row.article for row in articles() if row.state != "NONE"}


def test_only_articles_without_behaviour_for_software_have_no_test() -> None:
    assert {row.article for row in articles() if not row.tests} == {1, 13, 55}
