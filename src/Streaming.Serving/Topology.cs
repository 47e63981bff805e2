using StackExchange.Redis;

namespace Streaming.Serving;

/// <summary>Whether the store is a cluster, where the keys of one command must share a slot. Assumes one until a server has
/// reported its type: always valid, only slower.</summary>
internal sealed class Topology(IDatabase database)
{
    private volatile bool _isSingle;

    public bool IsCluster
    {
        get
        {
            if (!_isSingle)
            {
                _isSingle = IsSingle();
            }

            return !_isSingle;
        }
    }

    private bool IsSingle()
    {
        bool single = false;
        foreach (System.Net.EndPoint endPoint in database.Multiplexer.GetEndPoints())
        {
            IServer server = database.Multiplexer.GetServer(endPoint);
            if (server.IsConnected)
            {
                if (server.ServerType != ServerType.Standalone)
                {
                    return false;
                }

                single = true;
            }
        }

        return single;
    }
}
