// RTNeural's GRU of 64 units and dense layer of 12 on 24 inputs, called like an exported network, for count.c:
// https://github.com/jatinchowdhury18/RTNeural. Weights are constants, whose values change nothing.
//
//   TARGET="-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -O3"
//   arm-none-eabi-g++ $TARGET -std=gnu++17 -I RTNeural -c rtneural.cpp
//   arm-none-eabi-gcc $TARGET -c count.c -DNETWORK_HEADER='"rtneural.h"' -DNETWORK_INIT=rtneural_init \
//     -DNETWORK_STEP=rtneural_step -DNETWORK_STATE=rtneural_state -DNETWORK_INPUT_SIZE=24 -DNETWORK_OUTPUT_SIZE=12
//   arm-none-eabi-g++ $TARGET --specs=rdimon.specs -nostartfiles -T mps2.ld rtneural.o count.o -lm -o count.elf
#define RTNEURAL_USE_STL 1
#define RTNEURAL_DEFAULT_ALIGNMENT 16
#include <RTNeural/RTNeural.h>

#include "rtneural.h"

namespace {

using Network = RTNeural::ModelT<float, 24, 12, RTNeural::GRULayerT<float, 24, 64>, RTNeural::DenseT<float, 64, 12>>;
using Matrix = std::vector<std::vector<float>>;

alignas(Network) unsigned char memory[sizeof(Network)];
Network *network;

Matrix matrix(std::size_t rows, std::size_t columns)
{
    return Matrix(rows, std::vector<float>(columns, 0.02f));
}

} // namespace

extern "C" {

void *__dso_handle = nullptr; // no exit here runs destructors

int getentropy(void *, size_t)
{
    return -1;
}

void rtneural_init(rtneural_state *)
{
    network = new (memory) Network();
    network->get<0>().setWVals(matrix(24, 192));
    network->get<0>().setUVals(matrix(64, 192));
    network->get<0>().setBVals(matrix(2, 192));
    network->get<1>().setWeights(matrix(12, 64));
    network->reset();
}

void rtneural_step(rtneural_state *, const float *input, float *output)
{
    network->forward(input);
    for (int i = 0; i < 12; ++i)
        output[i] = network->getOutputs()[i];
}
}
