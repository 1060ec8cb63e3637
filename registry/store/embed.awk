# SPDX-License-Identifier: Apache-2.0
# Turn migration files, in argument order, into one C array of strings.
BEGIN { print "#include \"registry/store/migrations.h\"\n\nconst char *const migrations[] = {" }
FNR == 1 && NR > 1 { print "\t," }
FNR == 1 { print "\t/* " FILENAME " */" }
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); print "\t\"" $0 "\\n\"" }
FNR == 1 { n++ }
END {
	print (n ? "\t,\n" : "") "\t0, /* the end */\n};\n"
	print "const int migrations_len = " n + 0 ";"
}
