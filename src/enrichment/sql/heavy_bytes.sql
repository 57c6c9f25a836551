-- Makes the macro `heavy_bytes`: how far the texts of a run exceed 8 KiB, bytes. 0 for an ordinary run.
CREATE MACRO heavy_bytes(params, tags, others) AS greatest(0,
  coalesce(list_sum(list_transform(map_values(params), lambda text: strlen(text))), 0)
  + coalesce(list_sum(list_transform(map_values(tags), lambda text: strlen(text))), 0)
  + coalesce(others, 0)
  - 8192
)::BIGINT;
