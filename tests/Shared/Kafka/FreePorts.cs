using System.Net;
using System.Net.Sockets;

namespace Streaming.Tests.Kafka;

/// <summary>Ports for servers that restart on the same port: below Linux's ephemeral range (32768 and up),
/// so that no outgoing connection takes one while its server is down.</summary>
internal static class FreePorts
{
    private const int First = 32000;
    private const int Count = 768;

    // Each process starts searching elsewhere, so that two do not choose the same.
    private static int _next = Environment.ProcessId * 31 % Count;

    /// <summary>Returns ports that are free now and were not returned before.</summary>
    public static int[] Take(int count)
    {
        List<int> ports = [];
        for (int tries = 0; ports.Count < count; tries++)
        {
            int port = First + (Interlocked.Increment(ref _next) % Count);
            if (IsFree(port))
            {
                ports.Add(port);
            }
            else if (tries > Count)
            {
                throw new InvalidOperationException($"Fewer than {count} ports of {First} to {First + Count - 1} are free.");
            }
        }

        return [.. ports];
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
