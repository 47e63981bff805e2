using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Timing;

/// <summary>Sums the time of the parts of steps. The host waits for the device at each mark, so the total exceeds that of unmeasured
/// steps.</summary>
internal sealed class StepTimer(Device device)
{
    private readonly TimeSpan[] _totals = new TimeSpan[Enum.GetValues<StepPart>().Length];
    private long _last;

    /// <summary>Time of a part, over all steps measured.</summary>
    public TimeSpan this[StepPart part] => _totals[(int)part];

    /// <summary>Starts a step.</summary>
    public void Begin()
    {
        Wait();
        _last = Stopwatch.GetTimestamp();
    }

    /// <summary>Ends a part.</summary>
    public void Mark(StepPart part)
    {
        Wait();
        long now = Stopwatch.GetTimestamp();
        _totals[(int)part] += Stopwatch.GetElapsedTime(_last, now);
        _last = now;
    }

    private void Wait()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }
    }
}
