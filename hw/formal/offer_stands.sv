// SPDX-License-Identifier: Apache-2.0
// An offer on the bus stands until it is taken: one source at a time has it, one that asks; the first of them, but for
// one that waits already. Sources keep what they ask for (ring_fetch proves that of `desc_fetch`).
`default_nettype none

module offer_stands (
	input wire       clk,
	input wire       rst,
	input wire [2:0] ask,
	input wire       taken
);
	wire [2:0] offered;
	offer #(.SOURCES (3)) dut (.clk (clk), .rst (rst), .ask (ask), .offered (offered), .taken (taken));
	(* hierconn *) wire [2:0] \dut.waits ;

	reg began = 1'b0;
	reg [2:0] waits;
	always @(posedge clk) begin
		began <= 1'b1;
		waits <= rst || taken ? 3'b0 : offered;
	end

	always @* begin
		if (!began) assume (rst);
		if (began) assume ((waits & ~ask) == 0);
	end

	always @* if (began) begin
		assert ((offered & ~ask) == 0 && (offered & (offered - 3'd1)) == 0);
		assert ((offered != 0) == (ask != 0));
		if (waits != 0) assert (offered == waits);
		else assert (offered == (ask[0] ? 3'b001 : ask[1] ? 3'b010 : ask));
`ifdef INVARIANTS
		assert (waits == \dut.waits );
		assert ((waits & (waits - 3'd1)) == 0);
`endif
	end

	always @* begin
		cover (began && waits == 3'b100 && ask == 3'b111 && taken);
		cover (began && waits == 3'b010 && ask == 3'b111 && !taken);
	end
endmodule

`default_nettype wire
