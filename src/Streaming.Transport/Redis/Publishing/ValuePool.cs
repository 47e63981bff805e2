namespace Streaming.Transport.Redis.Publishing;

/// <summary>Reuses byte arrays of exact length, because the client takes whole arrays. Not thread-safe.</summary>
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
