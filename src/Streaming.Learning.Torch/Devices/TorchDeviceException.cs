namespace Streaming.Learning.Torch.Devices;

/// <summary>The device is unusable, or ran out of memory. The message is one line: what was tried and what to do.</summary>
public class TorchDeviceException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was tried and what to do.</param>
    /// <param name="innerException">The library's error.</param>
    public TorchDeviceException(string message, Exception? innerException = null)
        : base(message, innerException) { }
}
