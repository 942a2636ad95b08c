/* Counts the instructions of NETWORK_step on QEMU's Cortex-M4, where one instruction takes a nanosecond (-icount
   shift=0) and the SysTick timer counts at 25 MHz; prints them by semihosting. */
#include NETWORK_HEADER

#include <stdint.h>

extern void NETWORK_INIT(NETWORK_STATE *state);

#define STEPS 200u
#define NANOSECONDS_PER_TICK 40u
#define SYSTICK ((volatile uint32_t *)0xE000E010)
#define COPROCESSORS (*(volatile uint32_t *)0xE000ED88)

static NETWORK_STATE state;
static float input[NETWORK_INPUT_SIZE], output[NETWORK_OUTPUT_SIZE];

static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void print(uint32_t number)
{
    char text[12] = {0};
    char *place = text + 10;
    *place = '\n';
    do
        *--place = (char)('0' + number % 10u);
    while ((number /= 10u) != 0u);
    semihosting(0x04, place);
}

void reset(void)
{
    COPROCESSORS |= 0xFu << 20; /* the floating-point unit */
    __asm__ volatile("dsb\n\tisb");
    NETWORK_INIT(&state);
    SYSTICK[1] = 0xFFFFFF;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5; /* on, by the processor's clock */
    const uint32_t begin = SYSTICK[2];
    for (uint32_t step = 0; step < STEPS; ++step) {
        input[step % NETWORK_INPUT_SIZE] = (float)(step % 7u) * 0.25f - 0.75f;
        NETWORK_STEP(&state, input, output);
    }
    print(((begin - SYSTICK[2]) & 0xFFFFFFu) * NANOSECONDS_PER_TICK / STEPS); /* 24 bits */
    static const uint32_t done[2] = {0x20026, 0};
    semihosting(0x20, done);
    for (;;)
        ;
}

__attribute__((section(".vectors"), used)) static const uint32_t vectors[2] = {0x20000000 + 0x100000, (uint32_t)&reset + 1u};
