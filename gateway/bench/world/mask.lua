-- What the agreement of the benchmark masks and withholds, in an nginx body filter. The answer is
-- collected, decoded, changed and encoded again; a header filter has dropped its length before.
local cjson = require "cjson.safe"
local concat = table.concat

local function parent(value)
  if value and value.SoDinhDanh then value.SoDinhDanh = "***" .. value.SoDinhDanh:sub(-4) end
end

local function mask(record)
  record.DanToc, record.TonGiao, record.GhiChu = nil, nil, nil
  if record.NgaySinh then record.NgaySinh = record.NgaySinh:sub(1, 4) end
  if record.QueQuan then record.QueQuan.ChiTiet = nil end
  if record.ThuongTru and record.ThuongTru.ChiTiet then record.ThuongTru.ChiTiet = "***" end
  parent(record.Cha)
  parent(record.Me)
end

return function()
  local context, chunk, last = ngx.ctx, ngx.arg[1], ngx.arg[2]
  local parts, count = context.parts, context.count
  if not parts then
    parts, count = {}, 0
    context.parts = parts
  end
  if chunk ~= "" then
    count = count + 1
    parts[count] = chunk
    context.count = count
  end
  if not last then
    ngx.arg[1] = nil
    return
  end
  local answer = cjson.decode(concat(parts))
  -- What cannot be read does not leave.
  if not answer or type(answer.data) ~= "table" then
    ngx.arg[1] = nil
    return
  end
  local data = answer.data
  for index = 1, #data do mask(data[index]) end
  ngx.arg[1] = cjson.encode(answer)
end
