// wgmma.mma_async of floats, PTX ISA 9.7.15: the sums of interp/warpgroup.cpp, each a chain of f32 FMAs over
// ascending k. A function per shape, out of line, with loops over blocks of eight columns: a block's sums are
// the 32 lanes' accumulators, slot by slot, 16 lanes (four rows of four columns) a vector. Before it, A's
// elements are laid out as such vectors, and B's in fours that a load spreads over the rows.

#include <array>

#include "interp/callbacks.h"
#include "jit/emitter.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Type;

namespace {

constexpr int rows = 16, block_columns = 8, half_warp = 16;

class Product {
 public:
  Product(Emitter& e, const simt::Inst& inst)
      : e_(e),
        b_(e.b),
        n_(inst.tile().n),
        k_(inst.tile().k),
        sums_(inst.types[0]),
        a_(inst.types[1]),
        bt_(inst.types[2]),
        negated_(inst.tile().negated) {}

  std::string name() const {
    return "product.n" + std::to_string(n_) + "." + std::string(ptx::name(sums_)) + "." +
           std::string(ptx::name(a_)) + "." + std::string(ptx::name(bt_)) + (negated_ ? ".negated" : "");
  }

  /// (sums, A's lines, B's lines, keeps)
  llvm::Function* function() {
    if (llvm::Function* known = e_.m.getFunction(name())) return known;
    auto* ptr = b_.getPtrTy();
    fn_ = llvm::Function::Create(
        llvm::FunctionType::get(b_.getVoidTy(), {ptr, ptr, ptr, b_.getInt1Ty()}, false),
        llvm::Function::InternalLinkage, name(), e_.m);
    fn_->addFnAttr(llvm::Attribute::NoUnwind);
    fn_->addFnAttr(llvm::Attribute::NoInline);
    for (const char* width : {"prefer-vector-width", "min-legal-vector-width"})
      fn_->addFnAttr(width, e_.fn->getFnAttribute(width).getValueAsString());
    llvm::IRBuilder<>::InsertPointGuard guard(b_);
    b_.SetCurrentDebugLocation(llvm::DebugLoc());
    b_.SetInsertPoint(llvm::BasicBlock::Create(e_.c, "entry", fn_));
    spread_a_ = array(rows * 4 * k_);
    fours_b_ = array(n_ * k_);
    lay_out_a();
    loop(n_ / block_columns, [&](Value* block) { lay_out_b(block); });
    loop(n_ / block_columns, [&](Value* block) { multiply(block); });
    b_.CreateRetVoid();
    return fn_;
  }

 private:
  llvm::FixedVectorType* floats(int count) const {
    return llvm::FixedVectorType::get(b_.getFloatTy(), count);
  }
  llvm::FixedVectorType* integers(int bits, int count) const {
    return llvm::FixedVectorType::get(b_.getIntNTy(static_cast<unsigned>(bits)), count);
  }
  Value* array(int count) {
    auto* a = b_.CreateAlloca(b_.getFloatTy(), b_.getInt64(static_cast<std::uint64_t>(count)));
    a->setAlignment(llvm::Align(64));
    return a;
  }
  Value* at(Value* array, Value* index, int offset) {
    Value* i = b_.CreateAdd(index, b_.getInt64(static_cast<std::uint64_t>(offset)));
    return b_.CreateGEP(b_.getFloatTy(), array, i);
  }

  template <class F>
  void loop(int count, F body) {
    llvm::BasicBlock* before = b_.GetInsertBlock();
    llvm::BasicBlock* head = llvm::BasicBlock::Create(e_.c, "block", fn_);
    llvm::BasicBlock* after = llvm::BasicBlock::Create(e_.c, "after", fn_);
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    llvm::PHINode* i = b_.CreatePHI(b_.getInt64Ty(), 2);
    i->addIncoming(b_.getInt64(0), before);
    body(i);
    Value* next = b_.CreateAdd(i, b_.getInt64(1));
    i->addIncoming(next, head);
    b_.CreateCondBr(b_.CreateICmpULT(next, b_.getInt64(static_cast<std::uint64_t>(count))), head, after);
    b_.SetInsertPoint(after);
  }

  /// A line's k elements as floats. interp::ProductLines says where its two chunks are.
  Value* line(Value* lines, Value* block, int in_block, Type type) {
    const auto field = [&](std::size_t offset) {
      return b_.CreateLoad(b_.getInt64Ty(), b_.CreateConstGEP1_64(b_.getInt8Ty(), lines, offset));
    };
    using L = interp::ProductLines;
    Value* start = b_.CreateAdd(field(offsetof(L, start)), b_.CreateMul(block, field(offsetof(L, stride))));
    start = b_.CreateAdd(
        start, b_.CreateMul(field(offsetof(L, pitch)), b_.getInt64(static_cast<std::uint64_t>(in_block))));
    Value* chunks[2];
    for (int part = 0; part < 2; ++part) {
      Value* place = part ? b_.CreateAdd(start, field(offsetof(L, part))) : start;
      Value* exchanged = b_.CreateLShr(b_.CreateSub(place, field(offsetof(L, pattern))), b_.getInt64(3));
      place = b_.CreateXor(place, b_.CreateAnd(exchanged, field(offsetof(L, mask))));
      Value* base =
          b_.CreateLoad(b_.getPtrTy(), b_.CreateConstGEP1_64(b_.getInt8Ty(), lines, offsetof(L, base)));
      chunks[part] =
          b_.CreateAlignedLoad(integers(8, 16), b_.CreateGEP(b_.getInt8Ty(), base, place), llvm::Align(1));
    }
    std::array<int, 32> both;
    for (int i = 0; i < 32; ++i) both[static_cast<std::size_t>(i)] = i;
    return widen(b_.CreateShuffleVector(chunks[0], chunks[1], both), type);
  }

  /// 32 bytes of elements as floats; exact.
  Value* widen(Value* bytes, Type type) {
    auto* words = integers(32, k_);
    const auto half = [&](Value* bits) {
      return b_.CreateFPExt(b_.CreateBitCast(bits, llvm::FixedVectorType::get(b_.getHalfTy(), k_)),
                            floats(k_));
    };
    const auto all = [&](std::uint32_t v) { return llvm::ConstantInt::get(words, v); };
    switch (type) {
      case Type::f16: return half(b_.CreateBitCast(bytes, integers(16, k_)));
      case Type::bf16:
        return b_.CreateBitCast(
            b_.CreateShl(b_.CreateZExt(b_.CreateBitCast(bytes, integers(16, k_)), words), all(16)),
            floats(k_));
      case Type::e5m2:
        return half(b_.CreateShl(b_.CreateZExt(bytes, integers(16, k_)),
                                 llvm::ConstantInt::get(integers(16, k_), 8)));
      case Type::e4m3: {
        Value* wide = b_.CreateZExt(bytes, words);
        Value* magnitude = b_.CreateAnd(wide, all(0x7f));
        Value* scaled = b_.CreateFMul(b_.CreateBitCast(b_.CreateShl(magnitude, all(20)), floats(k_)),
                                      llvm::ConstantFP::get(floats(k_), 0x1p120));
        Value* bits = b_.CreateSelect(b_.CreateICmpEQ(magnitude, all(0x7f)), all(0x7fc00000),
                                      b_.CreateBitCast(scaled, words));
        bits = b_.CreateOr(bits, b_.CreateShl(b_.CreateAnd(wide, all(0x80)), all(24)));
        return b_.CreateBitCast(bits, floats(k_));
      }
      default:
        return b_.CreateBitCast(b_.CreateAnd(b_.CreateBitCast(bytes, words), all(0xffffe000u)), floats(k_));
    }
  }

  /// Four lines turned: element 4 L + p of result i is element 4 L + i of line p.
  std::array<Value*, 4> turn(const std::array<Value*, 4>& lines) {
    // Of each four of x and y: the first two of both, or the last two, one after the other or in pairs.
    const auto mix = [&](Value* x, Value* y, int from, bool pairs) {
      std::vector<int> order;
      for (int group = 0; group < k_; group += 4)
        for (int i = 0; i < 4; ++i) {
          const int which = pairs ? i / 2 : i % 2, element = pairs ? i % 2 : i / 2;
          order.push_back(which * k_ + group + from + element);
        }
      return b_.CreateShuffleVector(x, y, order);
    };
    Value *low01 = mix(lines[0], lines[1], 0, false), *high01 = mix(lines[0], lines[1], 2, false);
    Value *low23 = mix(lines[2], lines[3], 0, false), *high23 = mix(lines[2], lines[3], 2, false);
    return {mix(low01, low23, 0, true), mix(low01, low23, 2, true), mix(high01, high23, 0, true),
            mix(high01, high23, 2, true)};
  }

  // For each k: rows 0-3, 4-7, 8-11, 12-15, each row's element four times.
  void lay_out_a() {
    for (int part = 0; part < 4; ++part) {
      std::array<Value*, 4> lines;
      for (int p = 0; p < 4; ++p) {
        const int row = part * 4 + p;
        Value* v = line(fn_->getArg(1), b_.getInt64(static_cast<std::uint64_t>(row / 8)), row % 8, a_);
        lines[static_cast<std::size_t>(p)] = negated_ ? b_.CreateFNeg(v) : v;
      }
      const auto turned = turn(lines);
      for (int k = 0; k < k_; ++k) {
        std::vector<int> order(half_warp);
        for (int lane = 0; lane < half_warp; ++lane)
          order[static_cast<std::size_t>(lane)] = k / 4 * 4 + lane / 4;
        Value* spread = b_.CreateShuffleVector(turned[static_cast<std::size_t>(k % 4)], order);
        b_.CreateAlignedStore(spread, at(spread_a_, b_.getInt64(0), (k * 4 + part) * half_warp),
                              llvm::Align(64));
      }
    }
  }

  // For each block, and the even and the odd of its columns: four results of turn().
  void lay_out_b(Value* block) {
    Value* first =
        b_.CreateMul(block, b_.getInt64(std::uint64_t{block_columns} * static_cast<std::uint64_t>(k_)));
    for (int odd = 0; odd < 2; ++odd) {
      std::array<Value*, 4> lines;
      for (int p = 0; p < 4; ++p)
        lines[static_cast<std::size_t>(p)] = line(fn_->getArg(2), block, odd + 2 * p, bt_);
      const auto turned = turn(lines);
      for (int i = 0; i < 4; ++i)
        b_.CreateAlignedStore(turned[static_cast<std::size_t>(i)], at(fours_b_, first, (odd * 4 + i) * k_),
                              llvm::Align(16));
    }
  }

  void multiply(Value* block) {
    const bool halves = sums_ == Type::f16;
    // By register half of the block (rows 0-7, 8-15), odd column, half of the lanes.
    Value* sums[2][2][2];
    const int words = halves ? 2 * warp_size : 4 * warp_size;
    Value* out = b_.CreateMul(block, b_.getInt64(static_cast<std::uint64_t>(words)));
    auto* half_type = llvm::FixedVectorType::get(b_.getHalfTy(), half_warp);
    Value* zero = llvm::Constant::getNullValue(floats(half_warp));
    Value* keeps = fn_->getArg(3);
    const auto place = [&](int r, int odd, int part) {
      return at(fn_->getArg(0), out, (halves ? r : r * 2 + odd) * warp_size + part * half_warp);
    };
    for (int r = 0; r < 2; ++r)
      for (int part = 0; part < 2; ++part)
        for (int odd = 0; odd < 2; ++odd) {
          Value* old;
          if (halves) {
            Value* bits = b_.CreateAlignedLoad(integers(32, half_warp), place(r, 0, part), llvm::Align(64));
            if (odd) bits = b_.CreateLShr(bits, llvm::ConstantInt::get(bits->getType(), 16));
            old = b_.CreateFPExt(b_.CreateBitCast(b_.CreateTrunc(bits, integers(16, half_warp)), half_type),
                                 floats(half_warp));
          } else {
            old = b_.CreateAlignedLoad(floats(half_warp), place(r, odd, part), llvm::Align(64));
          }
          sums[r][odd][part] = b_.CreateSelect(keeps, old, zero);
        }
    Value* first =
        b_.CreateMul(block, b_.getInt64(std::uint64_t{block_columns} * static_cast<std::uint64_t>(k_)));
    std::vector<int> spread(half_warp);
    for (int lane = 0; lane < half_warp; ++lane) spread[static_cast<std::size_t>(lane)] = lane % 4;
    for (int k = 0; k < k_; ++k) {
      Value *x[4], *y[2];
      for (int part = 0; part < 4; ++part)
        x[part] = b_.CreateAlignedLoad(
            floats(half_warp), at(spread_a_, b_.getInt64(0), (k * 4 + part) * half_warp), llvm::Align(64));
      for (int odd = 0; odd < 2; ++odd)
        y[odd] = b_.CreateShuffleVector(
            b_.CreateAlignedLoad(floats(4), at(fours_b_, first, (odd * 4 + k % 4) * k_ + k / 4 * 4),
                                 llvm::Align(16)),
            spread);
      for (int r = 0; r < 2; ++r)
        for (int odd = 0; odd < 2; ++odd)
          for (int part = 0; part < 2; ++part) {
            Value*& sum = sums[r][odd][part];
            sum =
                b_.CreateIntrinsic(llvm::Intrinsic::fma, {floats(half_warp)}, {x[r * 2 + part], y[odd], sum});
          }
    }
    for (int r = 0; r < 2; ++r)
      for (int part = 0; part < 2; ++part) {
        Value* packed = nullptr;
        for (int odd = 0; odd < 2; ++odd) {
          Value* sum = sums[r][odd][part];
          Value* nan = b_.CreateFCmpUNO(sum, sum);
          if (!halves) {
            Value* bits = b_.CreateBitCast(sum, integers(32, half_warp));
            bits = b_.CreateSelect(nan, llvm::ConstantInt::get(bits->getType(), 0x7fffffff), bits);
            b_.CreateAlignedStore(bits, place(r, odd, part), llvm::Align(64));
            continue;
          }
          Value* bits = b_.CreateBitCast(b_.CreateFPTrunc(sum, half_type), integers(16, half_warp));
          bits = b_.CreateSelect(nan, llvm::ConstantInt::get(bits->getType(), 0x7fff), bits);
          Value* wide = b_.CreateZExt(bits, integers(32, half_warp));
          packed = odd ? b_.CreateOr(packed, b_.CreateShl(wide, llvm::ConstantInt::get(wide->getType(), 16)))
                       : wide;
        }
        if (halves) b_.CreateAlignedStore(packed, place(r, 0, part), llvm::Align(64));
      }
  }

  Emitter& e_;
  llvm::IRBuilder<>& b_;
  int n_, k_;
  Type sums_, a_, bt_;
  bool negated_;
  llvm::Function* fn_ = nullptr;
  Value *spread_a_ = nullptr, *fours_b_ = nullptr;
};

}  // namespace

bool Emitter::emit_product(const simt::Inst& inst) {
  if (inst.op != ptx::Opcode::wgmma_mma_async || !full_ || inst.types[0] == Type::s32) return false;
  const simt::Tile& tile = inst.tile();
  constexpr std::size_t lines_bytes = sizeof(interp::ProductLines), row_bytes = 4 * warp_size;
  const std::size_t a = tile.a_in_registers ? 4 : 1;
  constexpr std::size_t most_sums = 128;
  if (sums_ == nullptr) {
    sums_ = llvm::IRBuilder<>(entry_, entry_->begin())
                .CreateAlloca(int_type(32, Form::vector), b.getInt64(most_sums));
    sums_->setAlignment(llvm::Align(64));
  }
  const auto sum = [&](std::size_t d) { return b.CreateConstGEP1_64(int_type(32, Form::vector), sums_, d); };
  Value* area = scratch((4 * row_bytes + 2 * lines_bytes) / 8);
  const auto part = [&](std::size_t offset) { return b.CreateConstGEP1_64(b.getInt8Ty(), area, offset); };
  Value *registers = part(0), *a_lines = part(4 * row_bytes), *b_lines = part(4 * row_bytes + lines_bytes);
  auto* ptr = b.getPtrTy();
  const auto find = [&](std::size_t source, bool is_a, Value* lines) {
    Value* descriptor = kind(inst.srcs[source]) == Lanes::Kind::vector
                            ? extract_active(get(inst.srcs[source], 64, Form::vector))
                            : get(inst.srcs[source], 64, Form::scalar);
    b.CreateCall(runtime("wanren_interp_product_lines",
                         llvm::FunctionType::get(b.getVoidTy(),
                                                 {ptr, ptr, b.getInt64Ty(), b.getInt32Ty(), ptr}, false)),
                 {ctx_, inst_pointer(inst), descriptor, b.getInt32(is_a), lines});
  };
  compiler_fence();
  if (tile.a_in_registers) {
    // Registers 0 and 1 hold chunk 0 of rows 0-7 and 8-15, 2 and 3 chunk 1.
    for (std::size_t r = 0; r < 4; ++r)
      b.CreateAlignedStore(get(inst.srcs[r], 32, Form::vector), part(r * row_bytes), llvm::Align(64));
    const auto set = [&](std::size_t offset, Value* v) {
      b.CreateStore(v, b.CreateConstGEP1_64(b.getInt8Ty(), a_lines, offset));
    };
    using L = interp::ProductLines;
    set(offsetof(L, base), registers);
    for (const std::size_t zero : {offsetof(L, start), offsetof(L, mask), offsetof(L, pattern)})
      set(zero, b.getInt64(0));
    set(offsetof(L, pitch), b.getInt64(16));
    set(offsetof(L, stride), b.getInt64(row_bytes));
    set(offsetof(L, part), b.getInt64(2 * row_bytes));
  } else {
    find(0, true, a_lines);
  }
  find(a, false, b_lines);
  // Of a chain of products the sums stay where they are.
  bool held =
      held_product_ != nullptr && held_block_ == block && held_product_->dsts.size() == inst.dsts.size();
  for (std::size_t d = 0; d < inst.dsts.size() && held; ++d) {
    const simt::Operand& o = inst.srcs[a + 2 + d];
    held = o.kind == simt::Operand::Kind::value && o.value == held_product_->dsts[d];
  }
  for (std::size_t d = 0; d < inst.dsts.size() && !held; ++d)
    b.CreateAlignedStore(get_raw(inst.srcs[a + 2 + d], 32, Form::vector), sum(d), llvm::Align(64));
  held_product_ = &inst;
  held_block_ = block;
  Value* keeps = kind(inst.srcs[a + 1]) == Lanes::Kind::vector
                     ? b.CreateExtractElement(get(inst.srcs[a + 1], 1, Form::vector), std::uint64_t{0})
                     : get(inst.srcs[a + 1], 1, Form::scalar);
  b.CreateCall(Product(*this, inst).function(), {sums_, a_lines, b_lines, keeps});
  for (std::size_t d = 0; d < inst.dsts.size(); ++d)
    if (inst.dsts[d] != simt::no_value)
      define_from(inst, d, b.CreateAlignedLoad(int_type(32, Form::vector), sum(d), llvm::Align(64)),
                  Form::vector, false);
  return true;
}

}  // namespace wanren::jit
