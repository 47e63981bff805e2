using System.Net;
using System.Net.Sockets;

namespace Streaming.Tests.Kafka;

/// <summary>Ports for servers that come back at the port they had: below those that Linux gives to clients (32768 and up),
/// so that no connection takes one while its server is down.</summary>
internal static class FreePorts
{
    private const int First = 32000;
    private const int End = 32768;

    /// <summary>Takes some that are free now. Each process begins its search elsewhere, so that two do not choose the same.</summary>
    public static int[] Take(int count)
    {
        int start = Environment.ProcessId * 31;
        int[] ports = [.. Enumerable.Range(0, End - First).Select(i => First + ((start + i) % (End - First))).Where(IsFree).Take(count)];
        return ports.Length == count ? ports : throw new InvalidOperationException($"Fewer than {count} ports of {First} to {End - 1} are free.");
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
