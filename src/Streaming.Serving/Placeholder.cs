namespace Streaming.Serving;
