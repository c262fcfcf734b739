// What of the kernels is a part of this module's interface. Kernels is compiled without checks, so no other module
// imports it: everything else goes through the checked types here.
@_exported public import enum Kernels.Activation
@_exported public import class Kernels.ThreadPool
