"""The files that say what a connector or a sink does."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from schemas.errors import SourceError

Model = TypeVar("Model", bound=BaseModel)


def read_file(path: Path, model: type[Model]) -> Model:
    """Read a YAML file of a model's shape.

    Raises:
        SourceError: naming each wrong key, never a value.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors())
        raise SourceError(f"{path.name}: {found}") from None
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        # Its own errors are not all that YAML has: a day that there is not, a number of thousands of digits.
        raise SourceError(f"{path.name} cannot be read as YAML ({type(error).__name__})") from None
