#include <fstream>
#include <nlohmann/json.hpp>

#include "report/record.h"

namespace wanren::report {
namespace {

using Json = nlohmann::ordered_json;

Json dim(const Dim3& d) {
  return Json::array({d.x, d.y, d.z});
}

Dim3 dim(const Json& j) {
  return Dim3{j.at(0), j.at(1), j.at(2)};
}

// One list of fields serves writing and reading. `f(name, member)` per field.
template <class Record, class F>
void kernel_fields(Record& k, F&& f) {
  f("launch_id", k.launch_id);
  f("name", k.name);
  f("stream", k.stream);
  f("device", k.device);
  f("start_us", k.start_us);
  f("end_us", k.end_us);
  f("grid", k.grid);
  f("block", k.block);
  f("dynamic_shared_bytes", k.dynamic_shared_bytes);
  f("static_shared_bytes", k.static_shared_bytes);
  f("registers_per_thread", k.registers_per_thread);
  f("occupancy", k.occupancy);
  f("occupancy_limit", k.occupancy_limit);
  f("warp_instructions", k.warp_instructions);
  f("thread_instructions", k.thread_instructions);
  f("lowered_warp_instructions", k.lowered_warp_instructions);
  f("cycles", k.cycles);
  f("clock_mhz", k.clock_mhz);
  f("time_us", k.time_us);
  f("sampled", k.sampled);
  f("sampling_error_pct", k.sampling_error_pct);
  f("simulated_ctas", k.simulated_ctas);
  f("flops", k.flops);
  f("fp32_flops", k.fp32_flops);
  f("tensor_flops", k.tensor_flops);
  f("dram_read_bytes", k.dram_read_bytes);
  f("dram_write_bytes", k.dram_write_bytes);
  f("l2_read_bytes", k.l2_read_bytes);
  f("l1_hit_pct", k.l1_hit_pct);
  f("l2_hit_pct", k.l2_hit_pct);
  f("d2d_bytes", k.d2d_bytes);
  f("d2d_link_bytes", k.d2d_link_bytes);
  f("energy_j", k.energy_j);
  f("average_power_w", k.average_power_w);
  f("energy_parts_j", k.energy_parts_j);
  f("bound_by", k.bound_by);
  f("roof_pct", k.roof_pct);
  f("fp32_peak_pct", k.fp32_peak_pct);
  f("fp64_peak_pct", k.fp64_peak_pct);
  f("tensor_peak_pct", k.tensor_peak_pct);
  f("dram_peak_pct", k.dram_peak_pct);
  f("tensor_path", k.tensor_path);
  f("emulated", k.emulated);
  f("stalls", k.stalls);
  f("counters", k.counters);
  f("compile_wall_s", k.compile_wall_s);
  f("functional_wall_s", k.functional_wall_s);
  f("timing_wall_s", k.timing_wall_s);
}

template <class Record, class F>
void copy_fields(Record& c, F&& f) {
  f("kind", c.kind);
  f("stream", c.stream);
  f("start_us", c.start_us);
  f("end_us", c.end_us);
  f("bytes", c.bytes);
  f("device", c.device);
  f("peer", c.peer);
}

template <class Record, class F>
void hot_line_fields(Record& h, F&& f) {
  f("kernel", h.kernel);
  f("file", h.file);
  f("line", h.line);
  f("ptx_line", h.ptx_line);
  f("text", h.text);
  f("warp_cycles", h.warp_cycles);
  f("issues", h.issues);
  f("l1_sectors", h.l1_sectors);
  f("l2_sectors", h.l2_sectors);
  f("share", h.share);
  f("top_stall", h.top_stall);
  f("top_stall_share", h.top_stall_share);
}

template <class Run_, class F>
void chip_fields(Run_& r, F&& f) {
  f("name", r.chip_name);
  f("hash", r.chip_hash);
  f("assumed_share", r.chip_assumed_share);
  f("title", r.chip_title);
  f("dies", r.chip_dies);
  f("price_usd", r.price_usd);
  f("board_limit_w", r.board_limit_w);
  f("peak_fp32_tflops", r.peak_fp32_tflops);
  f("peak_bf16_tflops", r.peak_bf16_tflops);
  f("peak_dram_gbs", r.peak_dram_gbs);
  f("d2d_gbs", r.d2d_gbs);
}

template <class Run_, class F>
void total_fields(Run_& r, F&& f) {
  f("time_us", r.time_us);
  f("busy_us", r.busy_us);
  f("energy_j", r.energy_j);
  f("average_power_w", r.average_power_w);
}

struct Writer {
  Json& json;
  void operator()(const char* name, const Dim3& value) { json[name] = dim(value); }
  template <class T>
  void operator()(const char* name, const T& value) {
    json[name] = value;
  }
};

struct Reader {
  const Json& json;
  void operator()(const char* name, Dim3& value) {
    if (json.contains(name)) value = dim(json.at(name));
  }
  template <class T>
  void operator()(const char* name, T& value) {
    if (json.contains(name)) value = json.at(name).get<T>();
  }
};

Result<void> write_text(const std::string& text, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail(path, "cannot be written", "name a file in a folder that exists and is writable");
  return {};
}

}  // namespace

std::string to_json(const Run& run) {
  Json json;
  json["schema_version"] = schema_version;
  json["program"] = run.program;
  Json& chip = json["chip"] = Json::object();
  chip_fields(run, Writer{chip});
  json["host"] = {{"wall_s", run.host_wall_s}, {"threads", run.host_threads}};
  json["timing_mode"] = run.timing_mode;
  if (!run.timing_note.empty()) json["timing_note"] = run.timing_note;
  if (!run.failure.empty()) json["failure"] = run.failure;
  Json& totals = json["totals"] = Json::object();
  total_fields(run, Writer{totals});
  Json& kernels = json["kernels"] = Json::array();
  for (const KernelRecord& kernel : run.kernels) {
    Json entry = Json::object();
    kernel_fields(kernel, Writer{entry});
    kernels.push_back(std::move(entry));
  }
  Json& copies = json["copies"] = Json::array();
  for (const CopyRecord& copy : run.copies) {
    Json entry = Json::object();
    copy_fields(copy, Writer{entry});
    copies.push_back(std::move(entry));
  }
  if (!run.hot_lines.empty()) {
    Json& lines = json["hot_lines"] = Json::array();
    for (const HotLine& line : run.hot_lines) {
      Json entry = Json::object();
      hot_line_fields(line, Writer{entry});
      lines.push_back(std::move(entry));
    }
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Result<Run> from_json(const std::string& text, const std::string& name) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema_version").get<int>() != schema_version)
      return fail(
          name,
          "schema version " + json.at("schema_version").dump() + " is not " + std::to_string(schema_version),
          "write it again with this version of wanren");
    Run run;
    run.program = json.value("program", "");
    chip_fields(run, Reader{json.at("chip")});
    run.host_wall_s = json.at("host").value("wall_s", 0.0);
    run.host_threads = json.at("host").value("threads", 0);
    run.timing_mode = json.value("timing_mode", "");
    run.timing_note = json.value("timing_note", "");
    run.failure = json.value("failure", "");
    total_fields(run, Reader{json.at("totals")});
    for (const Json& entry : json.at("kernels")) kernel_fields(run.kernels.emplace_back(), Reader{entry});
    for (const Json& entry : json.at("copies")) copy_fields(run.copies.emplace_back(), Reader{entry});
    if (json.contains("hot_lines"))
      for (const Json& entry : json.at("hot_lines"))
        hot_line_fields(run.hot_lines.emplace_back(), Reader{entry});
    return run;
  } catch (const nlohmann::json::exception& error) {
    return fail(name, std::string("is not a report: ") + error.what(), "give a file that --report wrote");
  }
}

Result<void> write_json(const Run& run, const std::string& path) {
  return write_text(to_json(run), path);
}

Result<void> write_timeline(const Run& run, const std::string& path) {
  // Trace-event format: complete events ("X"), times in microseconds, one row per stream.
  Json events = Json::array();
  for (const KernelRecord& kernel : run.kernels)
    events.push_back(
        {{"name", kernel.name},
         {"cat", "kernel"},
         {"ph", "X"},
         {"ts", kernel.start_us},
         {"dur", kernel.time_us},
         {"pid", run.chip_name},
         {"tid", "stream " + std::to_string(kernel.stream)},
         {"args",
          {{"bound_by", kernel.bound_by}, {"energy_j", kernel.energy_j}, {"cycles", kernel.cycles}}}});
  for (const CopyRecord& copy : run.copies)
    events.push_back({{"name", copy.kind},
                      {"cat", "copy"},
                      {"ph", "X"},
                      {"ts", copy.start_us},
                      {"dur", copy.end_us - copy.start_us},
                      {"pid", run.chip_name},
                      {"tid", "copies"},
                      {"args", {{"bytes", copy.bytes}}}});
  return write_text(Json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ns"}}.dump(), path);
}

}  // namespace wanren::report
