namespace Streaming.Transport.Redis.Publishing;

/// <summary>Byte arrays of exact length for reuse, because the client takes whole arrays. Not for two threads at a time.</summary>
internal sealed class ValuePool(int capacity)
{
    private readonly Dictionary<int, Stack<byte[]>> _free = [];

    public byte[] Rent(int length) =>
        _free.TryGetValue(length, out Stack<byte[]>? stack) && stack.TryPop(out byte[]? array) ? array : new byte[length];

    public void Return(byte[] array)
    {
        if (array.Length == 0)
        {
            return;
        }

        if (!_free.TryGetValue(array.Length, out Stack<byte[]>? stack))
        {
            _free[array.Length] = stack = new Stack<byte[]>();
        }

        if (stack.Count < capacity)
        {
            stack.Push(array);
        }
    }
}
