namespace Streaming.Learning.Torch.Devices;

/// <summary>The device cannot be used, or ran out of memory: one line that says what was looked for and what to do.</summary>
public sealed class TorchDeviceException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was looked for and what to do.</param>
    /// <param name="innerException">What the library said.</param>
    public TorchDeviceException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
