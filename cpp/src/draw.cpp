#include "penstock/draw.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <ranges>

#include "penstock/kernels.hpp"

namespace penstock {
namespace {

// Probabilities from 2^-29 on are multiples of 2^-52, so doubles hold the sums of these exactly, in whatever order they are
// added. They lie in buckets of their exponent and first bits, and all that are smaller lie in bucket 0.
constexpr int kDropped = 17;  // bits of a float that do not tell buckets apart
constexpr std::uint32_t kSmall = (std::bit_cast<std::uint32_t>(0x1p-29f) >> kDropped) - 1;
constexpr std::uint32_t kBuckets = (std::bit_cast<std::uint32_t>(1.0f) >> kDropped) - kSmall + 1;

std::uint32_t bucket_of(float share) {
    return std::clamp(std::bit_cast<std::uint32_t>(share) >> kDropped, kSmall, kSmall + kBuckets - 1) - kSmall;
}

}  // namespace

int Drawer::operator()(const float* scores, const float* shares, int n, int best, double chance, const Rule& rule) {
    if (rule.temperature == 0) return best;
    shares_ = shares, n_ = n;
    if (rule.temperature != 1) {
        scaled_.resize(std::size_t(n));
        for (int i = 0; i < n; ++i) scaled_[std::size_t(i)] = scores[i] / rule.temperature;
        kernels().softmax(scaled_.data(), scaled_.data(), 1, n);
        shares_ = scaled_.data();
    }
    const Rarest last = rarest(rule);
    const double goal = chance * add_up(last);
    const auto place = std::upper_bound(sums_.begin(), sums_.end(), goal);
    if (place != sums_.end()) return int(place - sums_.begin());
    // Rounding led past the last one.
    int token = n - 1;
    const auto kept = [&](int i) { return shares_[i] > last.share || (shares_[i] == last.share && i <= last.token); };
    while (token > 0 && !(shares_[token] > 0 && kept(token))) --token;
    return token;
}

Drawer::Rarest Drawer::rarest(const Rule& rule) {
    if (rule.top_k > 0) return rarest_of_most(std::min(rule.top_k, n_), rule.top_p);
    if (rule.top_p < 1) return rarest_of_all(rule.top_p);
    return {0, n_};
}

Drawer::Rarest Drawer::rarest_of_most(int top_k, double top_p) {
    chosen_.resize(std::size_t(top_k));
    std::ranges::partial_sort_copy(std::views::iota(0, n_), chosen_, [this](int a, int b) { return likelier(a, b); });
    double whole = 0;
    for (const int token : chosen_) whole += double(shares_[token]);
    return reach(top_p * whole, 0);
}

// Sorts only the bucket in which the sum reaches the limit.
Drawer::Rarest Drawer::rarest_of_all(double top_p) {
    const double limit = top_p * add_up({0, n_});
    masses_.assign(kBuckets, 0);
    for (int i = 0; i < n_; ++i) masses_[bucket_of(shares_[i])] += double(shares_[i]);
    double above = 0;
    std::uint32_t bucket = kBuckets - 1;
    for (; bucket > 0 && above + masses_[bucket] < limit; --bucket) above += masses_[bucket];
    chosen_.clear();
    for (int i = 0; i < n_; ++i)
        if (bucket_of(shares_[i]) == bucket) chosen_.push_back(i);
    std::sort(chosen_.begin(), chosen_.end(), [this](int a, int b) { return likelier(a, b); });
    return reach(limit, above);
}

// The token of `chosen_` with which the sum reaches the limit.
Drawer::Rarest Drawer::reach(double limit, double total) const {
    for (const int token : chosen_) {
        total += double(shares_[token]);
        if (total >= limit) return {shares_[token], token};
    }
    return chosen_.empty() ? Rarest{0, n_} : Rarest{shares_[chosen_.back()], chosen_.back()};
}

// Fills `sums_` with the sums of what is kept, in the order of the tokens, and returns the last.
double Drawer::add_up(Rarest last) {
    sums_.resize(std::size_t(n_));
    double total = 0;
    int i = 0;
    for (const int end = std::min(last.token + 1, n_); i < end; ++i)
        sums_[std::size_t(i)] = total += double(shares_[i] >= last.share ? shares_[i] : 0.0f);
    for (; i < n_; ++i) sums_[std::size_t(i)] = total += double(shares_[i] > last.share ? shares_[i] : 0.0f);
    return total;
}

}  // namespace penstock
