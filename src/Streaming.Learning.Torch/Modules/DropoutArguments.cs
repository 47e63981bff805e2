using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Modules;

/// <summary>Dropout of Tower.cu: addresses of thresholds and scales by column, the step's key, and the place in the tower. Without
/// thresholds nothing is dropped.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DropoutArguments
{
    public nint Thresholds;
    public nint Scales;
    public ulong Key;
    public uint Site;
}
