// The draw of a token by its probability. penstock/language/sampling.py is the slow reference, with the same tokens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace penstock {

// How tokens are drawn: among the top_k likeliest (0: all), and of these the likeliest that together have top_p of their
// probability (1: all).
struct Rule {
    float temperature = 1.0f;  // what scores are divided by; 0: always the likeliest
    int top_k = 0;
    double top_p = 1.0;
};

// Draws one of n tokens; keeps its memory from call to call.
class Drawer {
   public:
    // shares: [n] probabilities. chance: from 0 to below 1
    int operator()(const float* shares, int n, double chance, const Rule& rule) {
        shares_ = shares;
        kept_.resize(std::size_t(n));
        std::iota(kept_.begin(), kept_.end(), 0);
        if (rule.top_k > 0 || rule.top_p < 1) keep_likeliest(rule);
        const double goal = chance * sum();
        double total = 0;
        int last = kept_[0];
        for (const int token : kept_) {
            total += double(shares_[token]);
            if (total > goal) return token;
            if (shares_[token] > 0) last = token;
        }
        return last;  // rounding led past the last one
    }

   private:
    // Leaves in kept_ what the rule allows, ascending. Of equally likely tokens the first ones come first.
    void keep_likeliest(const Rule& rule) {
        const auto rarer = [this](int a, int b) { return shares_[a] < shares_[b] || (shares_[a] == shares_[b] && a > b); };
        const std::size_t most = rule.top_k > 0 ? std::min(std::size_t(rule.top_k), kept_.size()) : kept_.size();
        double whole = rule.top_k > 0 ? 0 : sum();  // of what top_k leaves
        std::make_heap(kept_.begin(), kept_.end(), rarer);
        chosen_.clear();
        if (rule.top_k > 0) {
            while (chosen_.size() < most) take(rarer);
            for (const int token : chosen_) whole += double(shares_[token]);
        }
        const double limit = rule.top_p * whole;
        std::size_t count = 0;
        for (double total = 0; count == 0 || (total < limit && count < most); ++count) {
            if (count == chosen_.size()) take(rarer);
            total += double(shares_[chosen_[count]]);
        }
        chosen_.resize(count);
        std::sort(chosen_.begin(), chosen_.end());
        kept_.swap(chosen_);
    }

    template <class Order>
    void take(const Order& rarer) {
        std::pop_heap(kept_.begin(), kept_.end(), rarer);
        chosen_.push_back(kept_.back());
        kept_.pop_back();
    }

    double sum() const {
        double total = 0;
        for (const int token : kept_) total += double(shares_[token]);
        return total;
    }

    const float* shares_ = nullptr;
    std::vector<int> kept_, chosen_;
};

}  // namespace penstock
