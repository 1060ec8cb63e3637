# SPDX-License-Identifier: Apache-2.0
# Turn the shipped policy files into one C table of name and text.
BEGIN { print "#include \"policies/shipped.h\"\n\nconst struct shipped shipped[] = {" }
FNR == 1 {
	if (NR > 1) print "\t},"
	name = FILENAME
	sub(/^policies\//, "", name)
	sub(/\.json$/, "", name)
	print "\t{\"" name "\","
}
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); print "\t\"" $0 "\\n\"" }
END { print (NR ? "\t},\n" : "") "\t{0},\n};" }
