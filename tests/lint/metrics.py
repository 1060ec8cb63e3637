#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""metrics.py - structural numbers for a C tree (files, functions, comments).

usage: metrics.py [--json|--gate] [--name N] [--top K] [--exclude REGEX] [--tests DIR]... DIR_OR_FILE...

--gate prints only what breaks a limit of LIMITS, and exits 1 if anything does.

Functions and their end lines come from universal-ctags; comments and code lines
from a small lexer that understands strings, chars, // and /* */. Complexity is
1 + the number of if/for/while/case/&&/||/? tokens in the function's lines.
"""
import argparse, json, os, re, statistics, subprocess, sys

TOKEN = re.compile(r'''
    (?P<str>"(?:\\.|[^"\\\n])*") | (?P<chr>'(?:\\.|[^'\\\n])*')
  | (?P<lc>//[^\n]*) | (?P<bc>/\*.*?\*/) | (?P<nl>\n) | (?P<o>.)''',
                   re.X | re.S)
# Hard limits per function or file, and budgets for the whole tree.
LIMITS = dict(function_lines=80, function_complexity=20, parameters=6, file_lines=900)
# Functions whose signature a library dictates.
DICTATED = {('registry/http/server.c', 'handle')}  # MHD_AccessHandlerCallback
BUDGETS = dict(over60=5.0, cx_over15=5.0, fl_p90=50, over100col=0.5)

BRANCH = re.compile(r'\b(?:if|for|while|case)\b|&&|\|\||\?')


def lex(text):
    """return (per-line kind list, text with comments/strings blanked)"""
    nlines = text.count('\n') + 1
    code, comm = [False] * (nlines + 1), [False] * (nlines + 1)
    out, line = [], 1
    for m in TOKEN.finditer(text):
        k, s = m.lastgroup, m.group()
        if k == 'nl':
            out.append('\n'); line += 1
        elif k in ('lc', 'bc'):
            for i, part in enumerate(s.split('\n')):
                if part.strip():
                    comm[line + i] = True
            n = s.count('\n'); out.append('\n' * n); line += n
        elif k in ('str', 'chr'):
            code[line] = True; out.append('""')
        else:
            if not s.isspace():
                code[line] = True
            out.append(s)
    return code, comm, ''.join(out)


def collect(paths, exclude):
    files = []
    for p in paths:
        if os.path.isfile(p):
            files.append(p); continue
        for root, dirs, names in os.walk(p):
            dirs[:] = sorted(d for d in dirs if not d.startswith('.'))
            for n in sorted(names):
                if n.endswith(('.c', '.h')):
                    files.append(os.path.join(root, n))
    return [f for f in files if not (exclude and re.search(exclude, f))]


def functions(files):
    res = {}
    if not files:
        return res
    p = subprocess.run(['ctags', '--languages=C,C++', '--map-C++=-.h', '--map-C=+.h',
                        '--kinds-C=f', '--fields=+neS', '--output-format=json', '-f', '-', '-L', '-'],
                       input='\n'.join(files), capture_output=True, text=True, errors='replace')
    for l in p.stdout.splitlines():
        try:
            t = json.loads(l)
        except ValueError:
            continue
        if 'end' in t:
            res.setdefault(t['path'], []).append(
                (t['name'], t['line'], t['end'], t.get('signature', ''), bool(t.get('file'))))
    return res


def q(v, p):
    if not v:
        return 0
    v = sorted(v)
    return v[min(len(v) - 1, int(round(p * (len(v) - 1))))]


def measure(name, paths, tests, exclude, top):
    src, tst = collect(paths, exclude), collect(tests, exclude)
    tset = set(tst)
    src = [f for f in src if f not in tset]
    fn = functions(src)
    cl, hl, per, flen, cplx, params, static = [], [], [], [], [], [], 0
    ccode = ccomm = hcode = hcomm = gotos = cleanup = asserts = 0
    long_fn, big = [], []
    longlines = total = 0
    for f in src:
        text = open(f, encoding='utf-8', errors='replace').read()
        code, comm, bare = lex(text)
        n = text.count('\n')
        total += n
        longlines += sum(1 for l in text.split('\n') if len(l.expandtabs(8)) > 100)
        nc, nm = sum(code), sum(comm)
        if f.endswith('.c'):
            cl.append(n); big.append((n, f)); ccode += nc; ccomm += nm
            per.append(len(fn.get(f, [])))
        else:
            hl.append(n); hcode += nc; hcomm += nm
        gotos += len(re.findall(r'\bgoto\b', bare))
        cleanup += len(re.findall(r'\b(?:_cleanup_\w*|g_autofree|g_autoptr|g_auto|__cleanup__|GLNX_AUTO\w*|_cleanup_)\b', bare))
        asserts += len(re.findall(r'\b(?:assert|ASSERT|GIT_ASSERT\w*|assert_return|g_return_(?:val_)?if_fail|serverAssert\w*|BUG)\s*\(', bare))
        lines = bare.split('\n')
        for (nm_, a, b, sig, st) in fn.get(f, []):
            flen.append(b - a + 1); static += st
            cx = 1 + len(BRANCH.findall('\n'.join(lines[a - 1:b])))
            cplx.append(cx)
            s = sig.strip('() ')
            params.append(0 if s in ('', 'void') else s.count(',') + 1)
            long_fn.append((b - a + 1, cx, nm_, f, params[-1]))
    tl = tcode = 0
    for f in tst:
        text = open(f, encoding='utf-8', errors='replace').read()
        tl += 1; tcode += sum(lex(text)[0])
    tfn = functions(tst); tflen = [b - a + 1 for v in tfn.values() for (_, a, b, _, _) in v]
    k = max(ccode + hcode, 1) / 1000
    r = dict(name=name, c_files=len(cl), h_files=len(hl), code_loc=ccode + hcode,
             c_med=int(statistics.median(cl)) if cl else 0, c_p90=q(cl, .9), c_max=max(cl or [0]),
             h_med=int(statistics.median(hl)) if hl else 0, h_max=max(hl or [0]),
             fn=len(flen), fn_per_file=int(statistics.median(per)) if per else 0, fn_per_file_max=max(per or [0]),
             fl_med=int(statistics.median(flen)) if flen else 0, fl_p90=q(flen, .9), fl_p99=q(flen, .99), fl_max=max(flen or [0]),
             over60=round(100 * sum(x > 60 for x in flen) / max(len(flen), 1), 1),
             over100=round(100 * sum(x > 100 for x in flen) / max(len(flen), 1), 1),
             cx_med=int(statistics.median(cplx)) if cplx else 0, cx_p90=q(cplx, .9),
             cx_over15=round(100 * sum(x > 15 for x in cplx) / max(len(cplx), 1), 1),
             par_med=int(statistics.median(params)) if params else 0, par_over5=round(100 * sum(x > 5 for x in params) / max(len(params), 1), 1),
             static=round(100 * static / max(len(flen), 1)),
             c_comment=round(100 * ccomm / max(ccomm + ccode, 1)), h_comment=round(100 * hcomm / max(hcomm + hcode, 1)),
             goto_k=round(gotos / k, 1), cleanup_k=round(cleanup / k, 1), assert_k=round(asserts / k, 1),
             over100col=round(100 * longlines / max(total, 1), 1),
             test_files=tl, test_loc=tcode, test_ratio=round(tcode / max(ccode + hcode, 1), 2),
             test_fn_med=int(statistics.median(tflen)) if tflen else 0)
    r['_long'] = sorted(long_fn, reverse=True)[:top]
    r['_big'] = sorted(big, reverse=True)[:top]
    return r


def gate(r):
    """print what breaks a limit; return how many do"""
    bad = []
    for lines, cx, name, path, npar in r['_long']:
        for what, value in (('function_lines', lines), ('function_complexity', cx), ('parameters', npar)):
            if value > LIMITS[what] and not (what == 'parameters' and (path, name) in DICTATED):
                bad.append(f'{path}: {name}: {what} {value} > {LIMITS[what]}')
    bad += [f'{path}: file_lines {n} > {LIMITS["file_lines"]}' for n, path in r['_big'] if n > LIMITS['file_lines']]
    bad += [f'tree: {k} {r[k]} > {v}' for k, v in BUDGETS.items() if r[k] > v]
    print('\n'.join(bad), end='\n' if bad else '')
    return len(bad)


if __name__ == '__main__':
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('paths', nargs='+'); ap.add_argument('--tests', action='append', default=[])
    ap.add_argument('--name', default='-'); ap.add_argument('--exclude'); ap.add_argument('--top', type=int, default=5)
    ap.add_argument('--json', action='store_true'); ap.add_argument('--gate', action='store_true')
    a = ap.parse_args()
    r = measure(a.name, a.paths, a.tests, a.exclude, 10**6 if a.gate else a.top)
    if a.gate:
        sys.exit(1 if gate(r) else 0)
    if a.json:
        print(json.dumps(r))
    else:
        for k, v in r.items():
            if not k.startswith('_'):
                print(f'{k:16} {v}')
        for n, cx, fnm, f, _ in r['_long']:
            print(f'  longest fn  {n:5} lines  cx {cx:4}  {fnm}  {f}')
        for n, f in r['_big']:
            print(f'  biggest file {n:5} lines  {f}')
