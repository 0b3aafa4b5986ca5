import inspect

from likeness import errors


def tree(kind: type[Exception], depth: int = 0) -> list[str]:
    first_line = (kind.__doc__ or "").strip().rstrip(".")
    line = f"{'    ' * depth}{kind.__name__}: {first_line[0].lower()}{first_line[1:]}"
    return [line, *(line for child in kind.__subclasses__() for line in tree(child, depth + 1))]


def test_the_docstring_is_the_tree_of_errors():
    described = inspect.cleandoc(errors.__doc__ or "").split("\n")[2:]
    assert [line[0].lower() + line[1:] if line else line for line in described] == [
        line[0].lower() + line[1:] for line in tree(errors.LikenessError)
    ]


def test_every_error_of_the_module_belongs_to_the_tree():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert kinds
    assert all(issubclass(kind, errors.LikenessError) for kind in kinds)
