using Streaming.Learning.Torch.Devices;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>Kernels cannot be compiled, loaded or launched here. The message is one line: what was tried, and what was found.</summary>
internal sealed class KernelException(string message, Exception? innerException = null) : TorchDeviceException(message, innerException);
