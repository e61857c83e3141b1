	wire [(QUEUE_BITS+48)*SLOTS-1:0] probe_ops;
	wire [16*SLOTS-1:0] probe_outs;
	genvar formal_i;
	generate
		for (formal_i = 0; formal_i < SLOTS; formal_i = formal_i + 1) begin : formal_word
			assign probe_ops[(QUEUE_BITS+48)*formal_i +: QUEUE_BITS+48] = ops[formal_i];
			assign probe_outs[16*formal_i +: 16] = outs[formal_i];
		end
	endgenerate
