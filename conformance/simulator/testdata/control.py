"""Scripts a failing and a slow job, a fault and the clock, and reads the ledger. Usage: control.py BASE_URL KEY"""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

base, key = sys.argv[1:3]


def call(method, path, body=None, headers=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


api = {"Authorization": "Bearer " + key}
generations = "/v2/video/generations"
job = {"model": "alibaba/wan2.2-vace-fun-a14b-reframe", "video_url": "https://example.com/v.mp4"}


def submit(**headers):
    status, generation = call("POST", generations, job, {**api, **headers})
    assert status == 200, (status, generation)
    return generation["id"]


def poll(id):
    return call("GET", generations + "?generation_id=" + urllib.parse.quote(id, safe=""), headers=api)


call("POST", "/simulator/reset")
call("POST", "/simulator/timelines", {"next": ['queued 1s, error NSFW "Refused"', "queued 1h, completed"]})
failing = submit(**{"X-Client-Request-Id": "failing"})
slow = submit()
own = submit(**{"X-Simulator-Timeline": "queued 1s, generating 2s, completed"})
call("POST", "/simulator/faults", {"faults": ["poll=503*1"]})
assert poll(slow)[0] == 503
assert poll(slow)[1]["status"] == "queued"
call("POST", "/simulator/clock", {"advance": "1m"})
assert poll(failing)[1]["error"] == {"name": "NSFW", "message": "Refused"}
assert poll(own)[1]["status"] == "completed"
call("POST", "/simulator/clock", {"advance": "1h"})
assert poll(slow)[1]["status"] == "completed"
found = call("GET", "/simulator/jobs?client_request_id=failing")[1]
assert found["total"] == 1 and found["jobs"][0]["id"] == failing and not found["jobs"][0]["charged"], found
state = call("GET", "/simulator/state")[1]
print(state["created"], "created,", state["charged"], "charged")
