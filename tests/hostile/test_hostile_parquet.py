"""Parquet from strangers: a few kilobytes that stand for megabytes, in every type, and footers that lie."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from files import LIMIT, TOO_LARGE

from penstock.datasets.parquet_pages import check_statistics, pages
from penstock.datasets.readers import read_table
from penstock.errors import DataError


def parquet_of(column, **options):
    import pyarrow as arrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(arrow.table({"text": column}), file := io.BytesIO(), **options)
    return file.getvalue()


def bombs():
    """Files of a few kilobytes that stand for 30 MB or 8 MB."""
    import pyarrow as arrow

    word, zeros = "x" * 10_000, arrow.array(np.zeros(1_000_000, np.int64))
    indices, ends = arrow.array(np.zeros(3000, np.int32)), arrow.array([0, 3000], arrow.int32())
    words = arrow.array([word] * 3000)
    delta = {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}}
    structs = arrow.StructArray.from_arrays([words], ["a"])
    lists = arrow.ListArray.from_arrays(ends, words)
    of_lists = {"use_dictionary": False, "column_encoding": {"text.list.element": "DELTA_BYTE_ARRAY"}}
    return {
        "dictionary": parquet_of(arrow.DictionaryArray.from_arrays(indices, [word])),
        "zstd": parquet_of(words, use_dictionary=False, compression="zstd"),
        "delta": parquet_of(words, **delta),
        "runs": parquet_of(zeros),
        "list": parquet_of(arrow.ListArray.from_arrays(arrow.array([0, len(zeros)], arrow.int32()), zeros)),
        "texts in a list": parquet_of(lists),
        "texts in lists": parquet_of(arrow.array([[word]] * 3000)),
        "texts in a list of lists": parquet_of(arrow.array([[[word] * 3000]])),
        "texts in structs": parquet_of(structs),
        "texts in a list of structs": parquet_of(arrow.ListArray.from_arrays(ends, structs)),
        "texts in a map": parquet_of(arrow.MapArray.from_arrays(ends, words, indices)),
        "differences in a list": parquet_of(lists, **of_lists),
        "JSON": parquet_of(words.cast(arrow.json_())),
        "JSON in a list": parquet_of(arrow.ListArray.from_arrays(ends, words.cast(arrow.json_()))),
        "bytes of one length": parquet_of(arrow.array([word.encode()] * 3000, arrow.binary(len(word)))),
        "several groups": parquet_of(arrow.array([[word] * 10] * 300), row_group_size=20),
    }


POOLS = []
"""Kept, since Arrow's buffers do not keep them."""


def refused_in_little_memory(path, data, match):
    """Read a file, which is refused, and count PyArrow's memory meanwhile."""
    import pyarrow as arrow

    path.write_bytes(data)
    usual = arrow.default_memory_pool()
    POOLS.append(arrow.proxy_memory_pool(usual))
    arrow.set_memory_pool(POOLS[-1])
    try:
        with pytest.raises(DataError, match=match):
            read_table(path, ["text"])
    finally:
        arrow.set_memory_pool(usual)
    return POOLS[-1].max_memory() < 2 * LIMIT


def test_parquet_is_read_up_to_the_limit(tmp_path, limit):
    for name, data in bombs().items():
        assert len(data) < LIMIT / 50, name
        assert refused_in_little_memory(tmp_path / "a.parquet", data, TOO_LARGE), name


def varint(value, size):
    """A whole number of Thrift's in so many bytes."""
    value = 2 * value
    return bytes(value >> 7 * place & 127 | 128 * (place < size - 1) for place in range(size))


def with_a_lie(data, column, **claims):
    """The file with other figures of a column in its footer."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for name, claim in claims.items():
        size = next(size for size in range(1, 6) if 2 * getattr(column, name) < 1 << 7 * size)
        true = varint(getattr(column, name), size)
        assert data[footer:].count(true), name
        data = data[:footer] + data[footer:].replace(true, varint(claim, size))
    return data


@pytest.mark.parametrize(
    ("bomb", "claims"),
    [
        ("zstd", {"total_uncompressed_size": 100}),
        ("list", {"num_values": 40}),
        ("texts in a list", {"total_uncompressed_size": 100}),
    ],
)
def test_the_footer_of_parquet_is_not_believed(tmp_path, limit, bomb, claims):
    import pyarrow.parquet

    data = bombs()[bomb]
    column = pyarrow.parquet.read_metadata(io.BytesIO(data)).row_group(0).column(0)
    lying = with_a_lie(data, column, **claims)
    assert refused_in_little_memory(tmp_path / "a.parquet", lying, f"{TOO_LARGE}|can't be read as Parquet")


def test_pages_of_parquet_are_found_in_each_form(tmp_path):
    import pyarrow as arrow
    import pyarrow.parquet

    texts = arrow.array([f"w{number % 300}" * 20 for number in range(9000)])
    plain = {"compression": "none", "use_dictionary": False}
    for options in ({}, {"data_page_version": "2.0"}, {"write_page_checksum": True}, plain, {"data_page_size": 1000}):
        file = io.BytesIO(parquet_of(texts, row_group_size=4000, **options))
        described = arrow.parquet.read_metadata(file)
        for group in map(described.row_group, range(3)):
            column = group.column(0)
            found = list(pages(file, column))
            assert sum(page.values or 0 for page in found) == column.num_values == group.num_rows
            # The column's size has the headers too.
            assert 0 < column.total_uncompressed_size - sum(page.size for page in found) < 150 * len(found)
            assert [page.values for page in found].count(None) == column.has_dictionary_page


def test_damaged_headers_of_pages_are_refused(tmp_path):
    column = SimpleNamespace(
        data_page_offset=0,
        dictionary_page_offset=None,
        has_dictionary_page=False,
        num_values=9,
        total_compressed_size=9,
    )
    field = 0x15  # the next field, a whole number
    for header in (
        b"",
        bytes([field]) + b"\xff" * 12,  # a number without an end
        bytes([0x1C]) * 50,  # structs in structs
        bytes([0x1B, 0]),  # a map, which no header has
        bytes([field, 0, field, 1, field, 0, 0]),  # a size of -1
        bytes([field, 0, field, 2, field, 2, 0x2C, 0, 0]),  # a page of data without a number of values
        bytes([0x18]) + b"\xff" * 5 + b"\x7f",  # bytes that are not there
        bytes([field, 0, field, 2, field, 2, 5, 4, 2, 0]),  # the second field twice
        bytes([field, 0, field, 2, field, 2, 5, *varint(65538, 3), 2, 0]),  # the same, as Arrow reads 16 bits
    ):
        with pytest.raises(ValueError, match="the header of a page"):
            list(pages(io.BytesIO(header), column))


def test_statistics_that_would_end_the_process_are_refused(tmp_path):
    import pyarrow.parquet

    file = io.BytesIO(bombs()["texts in a list"])
    leaf = pyarrow.parquet.read_metadata(file).schema.column(0)
    true = {name: getattr(leaf, name) for name in ("max_repetition_level", "max_definition_level", "physical_type")}
    check_statistics(file, [SimpleNamespace(path="text", **true)])
    for lie in ({"max_repetition_level": 2}, {"max_definition_level": 1}, {"physical_type": "BOOLEAN"}):
        with pytest.raises(ValueError, match="the statistics of 'text' are damaged"):
            check_statistics(file, [SimpleNamespace(path="text", **true | lie)])
    with pytest.raises(ValueError, match=r"zip\(\)"):
        check_statistics(file, [])
    (tmp_path / "a.parquet").write_bytes(file.getvalue()[:-9] + b"\x77" + file.getvalue()[-8:])
    with pytest.raises(DataError, match="can't be read as Parquet"):
        read_table(tmp_path / "a.parquet", ["text"])
