using Microsoft.Win32.SafeHandles;

namespace Streaming.Serving.Approximate;

/// <summary>An index of USearch, released after the last call that uses it.</summary>
internal sealed class UsearchHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public UsearchHandle(nint index)
        : base(ownsHandle: true) => SetHandle(index);

    protected override bool ReleaseHandle()
    {
        UsearchImports.Free(handle, out nint error);
        return error == 0;
    }
}
