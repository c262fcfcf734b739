// The parts of Kernels that belong to the interface of this module. Kernels is compiled without runtime checks, so
// no other module imports it: all other modules use the checked types of this module.
@_exported public import enum Kernels.Activation
@_exported public import class Kernels.ThreadPool
