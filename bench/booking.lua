-- Books one member after another on one session after another: every request is a new pair, so every one must be 201.
-- wrk -s booking.lua URL -- TOKEN FIRST SESSIONS MEMBERS      FIRST is the number of the pair to begin with
local sessions, members, token, turn = {}, {}, "", 0

local function lines(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = line end
  return list
end

function init(args)
  token, turn = args[1], tonumber(args[2])
  sessions, members = lines(args[3]), lines(args[4])
end

function request()
  local session = sessions[turn % #sessions + 1]
  -- The ceiling answers faster than there are pairs, and does not mind to be asked twice; a server would answer 409.
  local member = members[math.floor(turn / #sessions) % #members + 1]
  turn = turn + 1
  return wrk.format("POST", "/v1/sessions/" .. session .. "/bookings",
    { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" },
    '{"member_id": "' .. member .. '"}')
end
