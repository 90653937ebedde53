-- One event against several limits: it counts against all of them or, when one has no room, against none.
-- Per limit: KEYS[i], and in ARGV what an event costs and how far ahead of the clock events may be, both in
-- microseconds. Answers whether the event was counted, and how much time each limit now owes.
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]

local paid, counted = {}, 1
for i, key in ipairs(KEYS) do
  local cost, credit = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  paid[i] = tonumber(redis.call("GET", key) or now)
  if paid[i] < now or paid[i] > now + credit then -- the latter: the clock was set back
    paid[i] = now
  end
  if paid[i] + cost > now + credit then
    counted = 0
  end
end

local answer = {counted}
for i, key in ipairs(KEYS) do
  if counted == 1 then
    paid[i] = paid[i] + tonumber(ARGV[2 * i - 1])
    redis.call("SET", key, string.format("%.0f", paid[i]), "PX", math.ceil((paid[i] - now) / 1000))
  end
  answer[i + 1] = paid[i] - now
end
return answer
