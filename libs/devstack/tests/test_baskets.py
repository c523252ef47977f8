"""Orders from files: real baskets in, and a sentence with the line for whatever is wrong."""

import gzip

import pytest

from devstack.demo import baskets, plan
from devstack.demo.options import Options
from devstack.errors import StageError

HEADER = "order_no,sku,quantity\n"
KNOWN = frozenset({"a", "b", *(f"s{n}" for n in range(250))})


def write(folder, text, name="orders.csv"):
    file = folder / name
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(text.encode()))
    else:
        file.write_text(text)
    return file


def test_lines_of_one_number_are_one_basket(tmp_path):
    file = write(tmp_path, HEADER + "1,a,2\n1,b,1\n2,a,3\n2,a,4\n", "orders.csv.gz")
    assert baskets.read_baskets(file, KNOWN, 10) == [{"a": 2, "b": 1}, {"a": 7}]


def test_a_large_basket_becomes_several(tmp_path):
    lines = "".join(f"1,s{n},1\n" for n in range(250))
    assert [len(basket) for basket in baskets.read_baskets(write(tmp_path, HEADER + lines), KNOWN, 10)] == [
        100,
        100,
        50,
    ]


def test_no_more_is_read_than_asked_for(tmp_path):
    file = write(tmp_path, HEADER + "1,a,2\n2,a,2\n3,a,2\n4,nonsense\n")
    assert len(baskets.read_baskets(file, KNOWN, 2)) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b,c\n1,2,3\n", "line 1: the header lacks order_no, sku, quantity"),
        (HEADER + "1,a,2\n1,b\n", "line 3: there are fewer than 3 values"),
        (HEADER + "1,a,2\n1,b,many\n", "line 3: quantity 'many' is not a whole number from 1 to 10000"),
        (HEADER + "1,a,0\n", "line 2: quantity '0'"),
        (HEADER + "1,a,10001\n", "line 2: quantity '10001'"),
        (HEADER + "1,z,1\n", "line 2: SKU 'z' is not in the products file"),
        (HEADER, "holds no orders"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, text, sentence):
    with pytest.raises(StageError, match=sentence):
        baskets.read_baskets(write(tmp_path, text), KNOWN, 100)


def test_a_file_that_is_not_there_or_no_archive_is_a_sentence(tmp_path):
    with pytest.raises(StageError, match="cannot be read"):
        baskets.read_baskets(tmp_path / "none.csv", KNOWN, 1)
    (tmp_path / "x.csv.gz").write_text("plain")
    with pytest.raises(StageError, match="cannot be read"):
        baskets.read_baskets(tmp_path / "x.csv.gz", KNOWN, 1)


def test_the_built_in_plan_is_the_same_each_time_and_leaves_some_without_stock():
    one, other = plan.made(Options(limit=300)), plan.made(Options(limit=300))
    assert one == other
    demand = sum(sum(basket.values()) for basket in one.baskets)
    assert len(one.baskets) == 300
    assert 0.5 * demand < sum(one.stock.values()) < demand


def test_a_replay_by_time_never_runs_dry_of_wishes():
    wishes = plan.made(Options(limit=2, seconds=5)).wishes(forever=True)
    assert len({next(wishes).key for _ in range(10)}) == 10
