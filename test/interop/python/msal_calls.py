"""Calls of one MSAL application, in order: {application, settings, cache, calls: [[method, arguments]]} as JSON on
standard input, {results, cache} as JSON on standard output."""

import json
import sys

import msal

asked = json.load(sys.stdin)
cache = msal.SerializableTokenCache()
cache.deserialize(asked["cache"])
application = getattr(msal, asked["application"])(**asked["settings"], token_cache=cache)
results = [getattr(application, method)(**arguments) for method, arguments in asked["calls"]]
json.dump({"results": results, "cache": cache.serialize()}, sys.stdout)
