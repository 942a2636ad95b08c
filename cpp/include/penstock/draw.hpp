// The draw of a token by its probability. penstock/language/sampling.py is the slow reference, with the same tokens.
#pragma once

#include <vector>

namespace penstock {

// How tokens are drawn: among the top_k likeliest (0: all), and of these the likeliest that together have top_p of their
// probability (1: all). Of equally likely tokens the first ones come first.
struct Rule {
    float temperature = 1.0f;  // what scores are divided by; 0: always the likeliest
    int top_k = 0;
    double top_p = 1.0;
};

// Draws one of n tokens; keeps its memory from call to call.
class Drawer {
   public:
    // scores: [n]. shares: [n] their softmax. best: the first token of the greatest score. chance: from 0 to below 1
    int operator()(const float* scores, const float* shares, int n, int best, double chance, const Rule& rule);

   private:
    // The rarest token that a rule keeps. It keeps all that are likelier, and, of those as likely, the ones before it.
    struct Rarest {
        float share;
        int token;
    };

    Rarest rarest(const Rule& rule);
    Rarest rarest_of_most(int top_k, double top_p);
    Rarest rarest_of_all(double top_p);
    Rarest reach(double limit, double total) const;
    double add_up(Rarest last);
    bool likelier(int a, int b) const { return shares_[a] > shares_[b] || (shares_[a] == shares_[b] && a < b); }

    const float* shares_ = nullptr;
    int n_ = 0;
    std::vector<float> scaled_;  // the softmax at another temperature than 1
    std::vector<double> sums_;   // [n] of the probabilities up to each token
    std::vector<double> masses_;
    std::vector<int> chosen_;    // some tokens, the likeliest first
};

}  // namespace penstock
