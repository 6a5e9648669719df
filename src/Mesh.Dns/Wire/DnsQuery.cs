using System.Collections.Immutable;

namespace Mesh.Dns.Wire;

/// <summary>What a packet says, or why it gets no ordinary answer.</summary>
public abstract record DnsQuery
{
    private DnsQuery()
    {
    }

    /// <summary>No answer at all: a response, or too short to have an id. Answering either could loop.</summary>
    public sealed record Drop : DnsQuery;

    /// <summary>Answered with an error. <paramref name="QuestionEnd"/>: where the question ends, 0 when it could not be read.</summary>
    public sealed record Refuse(ResponseCode Code, int QuestionEnd, Edns? Edns) : DnsQuery;

    /// <summary>One question. The name's labels are as sent, bytes as Latin-1, so that a dot inside a label stays inside it.</summary>
    public sealed record Question(ImmutableArray<string> Name, ushort Type, int QuestionEnd, Edns? Edns) : DnsQuery;
}

/// <summary>The query's OPT record: the UDP payload that the client can take (RFC 6891 §6.2.3), and its DO bit.</summary>
public sealed record Edns(int PayloadSize, bool WantsSecurity);
