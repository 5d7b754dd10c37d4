from nl2sql.profiling.descriptions import Description, describe, read_descriptions

HEADER = b"original_column_name,column_name,column_description,data_format,value_description\r\n"


def folder(tmp_path, **files):
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    return str(tmp_path)


def test_encodings_and_the_mark_at_the_start(tmp_path):
    path = folder(
        tmp_path,
        marked=b"\xef\xbb\xbf" + HEADER + "größe,size,Größe in cm,real,\r\n".encode(),
        windows=HEADER + "price,,the price in \u20ac \u2013 net,real,\r\n".encode("cp1252"),
        latin=HEADER + b"code,,caf\xe9 \x81,text,\r\n",
    )
    found = read_descriptions(path)
    assert describe(found, "marked", "größe").description == "Größe in cm"
    assert describe(found, "windows", "price").description == "the price in € – net"
    assert describe(found, "latin", "code").description.startswith("café")


def test_header_variants_case_of_names_and_junk_rows(tmp_path):
    content = (
        b",,,\n\nOriginal_Column_Name ,column_desription,value description,column_name\n"
        b"  My  Column ,what it is,commonsense evidence: 0 is no,my column\n"
        b",,,\nshort\nMy Column,said twice,,\n,no name,,\n"
    )
    (tmp_path / "Some Table.CSV").write_bytes(content)
    (tmp_path / "notes.txt").write_bytes(b"original_column_name\nx\n")
    (tmp_path / ".hidden.csv").write_bytes(HEADER + b"x,y,z,,\n")
    found = read_descriptions(str(tmp_path))
    assert describe(found, "some table", "my column") == Description("my column", "what it is", "0 is no")
    assert describe(found, "SOME TABLE", "short") == Description()
    assert len(found) == 2


def test_files_without_sense_and_folders_that_are_not_there(tmp_path):
    path = folder(
        tmp_path, empty=b"", binary=bytes(range(256)) * 4, headless=b"a,b,c\n1,2,3\n", quote=HEADER + b'"a,b\nc'
    )
    assert read_descriptions(path).keys() <= {("quote", "a,b c")}
    assert read_descriptions(str(tmp_path / "nowhere")) == {}
    assert read_descriptions("") == {}


def test_line_breaks_inside_a_cell_become_spaces(tmp_path):
    path = folder(tmp_path, t=HEADER + b'a,,"first\r\nsecond",text,"x\n\ny"\r\n')
    assert describe(read_descriptions(path), "t", "A")[1:] == ("first second", "x y")
