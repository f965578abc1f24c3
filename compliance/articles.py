"""The regulation's articles and what the bus does for each, as data: the page and the tests read the same table."""

from functools import cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import Field, TypeAdapter, model_validator

from compliance.entry import Model
from compliance.values import Text

ARTICLES = 62


class Article(Model):
    """One article: what it orders as behaviour, where that is built, what proves it.

    Attributes:
        zh: what the article is about.
        state: BUILT, PARTLY or PLANNED (then `reason` says what is missing), or NONE: nothing for software to do.
        code, tests: paths from the project's root.
    """

    article: int = Field(ge=1, le=ARTICLES)
    zh: Text
    behaviour: Text
    state: Literal["BUILT", "PARTLY", "PLANNED", "NONE"]
    reason: Text | None = None
    code: tuple[Text, ...] = ()
    tests: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.state in {"PARTLY", "PLANNED"}) != (self.reason is not None):
            raise ValueError("a reason belongs to what is built in part or planned, and to nothing else")
        if self.state in {"BUILT", "PARTLY"} and not (self.code and self.tests):
            raise ValueError("what is built names its code and its tests")
        return self


@cache
def articles() -> tuple[Article, ...]:
    """All articles, in order."""
    text = (files("compliance") / "articles.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Article, ...]).validate_python(yaml.safe_load(text))
