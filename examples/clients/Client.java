// Claiming and consuming events from Java, with JDBC.  README.md tells what to
// look at.
//
//   java Client.java claim POOL ...       claim one lead of each pool
//   java Client.java events CONSUMER      print what is new, then acknowledge it
//
// with /usr/share/java/postgresql.jar in the class path.  The connection is that
// of the usual PGHOST, PGPORT, PGUSER, PGDATABASE; JDBC goes by TCP only.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;

public class Client {
    static final Map<String, String> REJECTED = Map.of(
        "PO001", "there is no such pool",
        "PO002", "this login belongs to no member",
        "PO003", "you are not a member of this pool",
        "42501", "this login has no access; see pool.grant_access");

    record Claimed(String outcome, String key, int limit, int used,
                   String retryAt) {}

    /** Opened when needed; null after it broke. */
    static Connection connection;

    // Behind a pooler the next transaction may be on another connection of the
    // server, which knows no statement prepared before: prepareThreshold=0.
    static PreparedStatement prepare(String sql) throws SQLException {
        if (connection == null) {
            connection = DriverManager.getConnection(
                "jdbc:postgresql://" + System.getenv("PGHOST") + ":"
                    + System.getenv("PGPORT") + "/"
                    + System.getenv("PGDATABASE") + "?prepareThreshold=0",
                System.getenv("PGUSER"), System.getenv("PGPASSWORD"));
        }
        return connection.prepareStatement(sql);
    }

    /** Worth another try: the connection is gone, or the server asks to repeat
     *  the transaction. */
    static boolean passing(SQLException error) {
        String state = error.getSQLState();
        return state == null || state.matches("(08|57P|40001|40P01).*");
    }

    static Claimed ask(String pool, UUID requestId) throws SQLException {
        try (PreparedStatement claim = prepare("""
                SELECT outcome, key, limit_value, used,
                    to_char(retry_at, 'YYYY-MM-DD HH24:MI') AS retry_at
                FROM pool.claim(?, request_id => ?)""")) {
            claim.setString(1, pool);
            claim.setObject(2, requestId);
            try (ResultSet row = claim.executeQuery()) {
                row.next();
                return new Claimed(row.getString("outcome"),
                    row.getString("key"), row.getInt("limit_value"),
                    row.getInt("used"), row.getString("retry_at"));
            }
        }
    }

    /** Claims once, however often it has to ask.  Nobody can know whether a
     *  request whose answer got lost was carried out; so the same request id
     *  goes along again, and the answer is the first one. */
    static Claimed claimOne(String pool)
            throws SQLException, InterruptedException {
        UUID requestId = UUID.randomUUID();
        for (int attempt = 1; ; attempt++) {
            try {
                return ask(pool, requestId);
            } catch (SQLException error) {
                if (!passing(error) || attempt == 5) throw error;
                if (connection != null) connection.close();
                connection = null;
                Thread.sleep(100L << attempt);
            }
        }
    }

    /** What an outcome means to the person who pressed the button. */
    static String told(Claimed lead) {
        String outcome = lead.outcome();
        return switch (outcome) {
            case "claimed" -> "claimed " + lead.key();
            case "empty", "none_allowed" ->
                outcome + ": nothing here for you now";
            case "contended" ->
                "contended: others are taking the last ones, try again";
            case "hold_limit", "claim_limit" ->
                outcome + ": " + lead.used() + " of " + lead.limit();
            case "too_soon" -> "too_soon: again at " + lead.retryAt();
            case "away" -> "away: you are not at work";
            case "pool_disabled" -> "pool_disabled: this pool is closed";
            default -> outcome; // later versions may know more
        };
    }

    static void claim(String pool) throws SQLException, InterruptedException {
        try {
            System.out.println(pool + ": " + told(claimOne(pool)));
        } catch (SQLException error) {
            String text = REJECTED.get(error.getSQLState());
            if (text == null) throw error;
            System.out.println(pool + ": " + error.getSQLState() + ": " + text);
        }
    }

    /** Each event at least once: after a crash before ack() the same ones come
     *  again, so do with them what may be done twice. */
    static boolean events(String consumer) throws SQLException {
        String position = null;
        try (PreparedStatement poll = prepare(
                "SELECT position, kind, key, member FROM pool.poll(?, 100)")) {
            poll.setString(1, consumer);
            ResultSet event = poll.executeQuery();
            while (event.next()) {
                String member = event.getString("member");
                System.out.println(event.getString("kind") + " "
                    + event.getString("key") + " "
                    + (member == null ? "-" : member));
                position = event.getString("position");
            }
        }
        if (position == null) return false;
        try (PreparedStatement ack = prepare("SELECT pool.ack(?, ?)")) {
            ack.setString(1, consumer);
            ack.setString(2, position);
            ack.execute();
        }
        return true;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("events")) {
            while (events(args[1])) {
                // a service would sleep where there was nothing, and go on
            }
        } else {
            for (int i = 1; i < args.length; i++) claim(args[i]);
        }
    }
}
